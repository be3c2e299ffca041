package integration_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// objectStore speaks S3. While it is full it takes nothing, and says so.
type objectStore struct {
	url     string // of a bundle's place in it
	backend gofakes3.Backend
	full    atomic.Bool
	taken   atomic.Int64 // requests that bring something
	fullAt  int64        // it becomes full with this one
}

const storeBucket = "bundles"

func startObjectStore(t *testing.T, fullAt int64) *objectStore {
	t.Helper()
	s := &objectStore{backend: s3mem.New(), fullAt: fullAt}
	if err := s.backend.CreateBucket(storeBucket); err != nil {
		t.Fatal(err)
	}
	real := gofakes3.New(s.backend).Server()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut || r.Method == http.MethodPost {
			if s.taken.Add(1) == s.fullAt {
				s.full.Store(true)
			}
			if s.full.Load() {
				http.Error(w, "<Error><Code>XMinioStorageFull</Code><Message>Storage backend has reached its minimum free drive threshold.</Message></Error>", http.StatusInsufficientStorage)
				return
			}
		}
		real.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	query := url.Values{"region": {"eu-central-1"}, "endpoint": {server.URL}, "use_path_style": {"true"}}
	s.url = "s3://" + storeBucket + "/customers?" + query.Encode()
	return s
}

// download copies the objects below a prefix into a folder, as any client would.
func (s *objectStore) download(ctx context.Context, t *testing.T, prefix, folder string) {
	t.Helper()
	listed, err := s.backend.ListBucket(storeBucket, &gofakes3.Prefix{Prefix: prefix, HasPrefix: true}, gofakes3.ListBucketPage{})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range listed.Contents {
		object, err := s.backend.GetObject(storeBucket, o.Key, nil)
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(object.Contents)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(folder, filepath.FromSlash(strings.TrimPrefix(o.Key, prefix)))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestABundleWaitsForAFullStoreAndIsWholeThen(t *testing.T) {
	s := newStage(t, setting{tickets: 800, comments: 4})
	// Each attachment is two requests of the parts: it is brought, then kept.
	parts := 2 * int64(count(t, s.source, "select count(*) from crm.files where client = $1", "customer-0001"))
	for name, fullAt := range map[string]int64{"while parts are written": 6, "while the bundle is published": parts + 24} {
		store := startObjectStore(t, fullAt)
		account := strings.ReplaceAll(name, " ", "-")
		r := s.addBundle("customer-0001", account, store.url)
		r.worker("AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_EC2_METADATA_DISABLED=true", "AWS_MAX_ATTEMPTS=1")
		r.start(t)
		eventually(t, time.Minute, "status says that the store takes nothing", func() (bool, string) {
			status := s.starterWith([]string{r.queue()}, "status", r.customer, "--account", r.account)
			return strings.Contains(status.stdout, "failed") && strings.Contains(status.stdout, "XMinioStorageFull"), status.String()
		})
		if listed, err := store.backend.GetObject(storeBucket, "customers/"+account+"/manifest-sha256.txt", nil); err == nil {
			_ = listed.Contents.Close() // nothing was read
			t.Errorf("%s: a bundle is published that cannot be whole", name)
		}
		store.full.Store(false)
		r.awaitCompleted(t)
		store.download(t.Context(), t, "customers/"+account+"/", r.place())
		s.wantBundle(account, "customer-0001")
	}
}
