package csvbundle

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"farewell/destination"
	"farewell/destination/destinationtest"
)

// objectStore is a server that speaks S3, and the bundle's url on it. From the
// given request on, counted from 1, it is full; 0: never. AWS's SDK does not try
// that again by itself.
type objectStore struct {
	url      string
	failFrom atomic.Int64
	requests atomic.Int64
}

func startObjectStore(t *testing.T, options string) *objectStore {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("bundles"); err != nil {
		t.Fatal(err)
	}
	s := &objectStore{}
	real := gofakes3.New(backend).Server()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n, from := s.requests.Add(1), s.failFrom.Load(); from > 0 && n >= from {
			http.Error(w, "<Error><Code>XMinioStorageFull</Code></Error>", http.StatusInsufficientStorage)
			return
		}
		real.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	query := url.Values{"region": {"eu-central-1"}, "endpoint": {server.URL}, "use_path_style": {"true"}}
	s.url = "s3://bundles/customers?" + query.Encode() + options
	return s
}

// bucketOf is the bundle's vault in the object store.
func bucketOf(b *Bundle) *bucket { return b.vault.(*bucket) }

// objects is every object below a prefix, by what follows it.
func objects(t *testing.T, b *Bundle, prefix string) map[string]string {
	t.Helper()
	ctx := context.Background() // also at the test's end
	keys, err := bucketOf(b).list(ctx, prefix)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, key := range keys {
		content, err := bucketOf(b).read(ctx, key)
		if err != nil {
			t.Fatal(err)
		}
		found[strings.TrimPrefix(key, prefix)] = string(content)
	}
	return found
}

// wantValidBucket checks the published bundle without downloading it first.
func wantValidBucket(t *testing.T, b *Bundle) {
	t.Helper()
	bag, err := b.vault.published(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer bag.Close()
	found, err := verifyBag(context.Background(), bag)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range found.Problems {
		t.Errorf("not valid: %s", p)
	}
}

func TestABucketKeepsTheContractOfStreams(t *testing.T) {
	credentials(t)
	for name, options := range map[string]string{
		"objects": "", "zip": "&format=zip", "gzip": "&compress=gzip", "raw": "&raw=true", "excel": "&excel=true",
	} {
		t.Run(name, func(t *testing.T) {
			destinationtest.RunStreams(t, func(t *testing.T) destinationtest.Bundle {
				b := openAt(t, startObjectStore(t, options).url)
				t.Cleanup(func() { _ = b.Close() }) // nothing was left to write
				return destinationtest.Bundle{Destination: b, Migration: acme, Columns: textColumns()}
			})
		})
	}
}

// credentials are those that AWS's SDK looks for.
func credentials(t *testing.T) {
	t.Helper()
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true", "AWS_MAX_ATTEMPTS": "1",
	} {
		t.Setenv(name, value)
	}
}

func TestABucketHoldsTheSameBytesAsAFolder(t *testing.T) {
	credentials(t)
	b := openAt(t, startObjectStore(t, "").url)
	writeParts(t, b, oldPart())
	publish(t, b, oldPart())
	writeParts(t, b, newPart())
	publish(t, b, oldPart(), newPart())
	want := undisturbed(t, oldPart(), newPart())
	got := objects(t, b, bucketOf(b).bundleKey())
	for name, text := range want {
		if got[name] != text {
			t.Errorf("%s differs", name)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d objects, want %d", len(got), len(want))
	}
	wantValidBucket(t, b)
}

// Every request that can fail is failed once, with all that follow it.
func TestAStoreThatFailsAtAnyRequestLosesNothing(t *testing.T) {
	credentials(t)
	fresh := undisturbed(t, oldPart(), newPart())
	old := undisturbed(t, oldPart())
	for step := int64(1); ; step++ {
		store := startObjectStore(t, "")
		b := openAt(t, store.url)
		writeParts(t, b, oldPart())
		publish(t, b, oldPart())
		store.failFrom.Store(store.requests.Load() + step)
		_, err := newPart().write(b)
		if err == nil {
			_, err = b.Publish(t.Context(), publishInput(oldPart(), newPart()))
		}
		store.failFrom.Store(0)
		if err == nil {
			if step < 20 {
				t.Fatalf("it took only %d requests: they are not counted", step)
			}
			return
		}
		wantKind(t, err, destination.Temporary)
		if said := err.Error(); len(said) > 400 || !strings.Contains(said, "the store answers ") {
			t.Fatalf("step %d: %s", step, said)
		}
		found := objects(t, b, bucketOf(b).bundleKey())
		if _, complete := found[manifestName]; complete && !sameContent(found, old) && !sameContent(found, fresh) {
			t.Fatalf("step %d: a bundle that is neither the old nor the new one", step)
		}
		if _, err := b.storedPart(t.Context(), newPart().ref()); err != nil {
			writeParts(t, b, newPart())
		}
		publish(t, b, oldPart(), newPart())
		if !sameContent(objects(t, b, bucketOf(b).bundleKey()), fresh) {
			t.Fatalf("step %d: the repeated publishing gives other bytes", step)
		}
		_ = b.Close() // nothing was left to write
	}
}

func sameContent(a, b map[string]string) bool {
	if len(a) != len(b) {
		return false
	}
	for name := range a {
		if a[name] != b[name] {
			return false
		}
	}
	return true
}

func TestALaterPublishEndsAbandonedUploads(t *testing.T) {
	credentials(t)
	b := openAt(t, startObjectStore(t, "").url)
	writeParts(t, b, oldPart())
	// A process that was killed in the middle of a large object.
	name, key := "bundles", bucketOf(b).bundleKey()+"data/half.csv"
	if _, err := client(t, b).CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: &name, Key: &key}); err != nil {
		t.Fatal(err)
	}
	if n := uploads(t, b); n == 0 {
		t.Fatal("no upload was begun, so this shows nothing")
	}
	publish(t, b, oldPart())
	if n := uploads(t, b); n != 0 {
		t.Errorf("%d uploads are left", n)
	}
}

func TestABucketOfOthersIsRefused(t *testing.T) {
	credentials(t)
	b := openAt(t, startObjectStore(t, "").url)
	writeParts(t, b, oldPart())
	if err := bucketOf(b).write(t.Context(), bucketOf(b).bundleKey()+"holiday.jpg", []byte("x")); err != nil {
		t.Fatal(err)
	}
	_, err := b.Publish(t.Context(), publishInput(oldPart()))
	wantKind(t, err, destination.Misconfigured)
	if len(objects(t, b, bucketOf(b).bundleKey())) != 1 {
		t.Error("something of others was changed")
	}
}

// uploads counts the multipart uploads that were begun and not ended.
func uploads(t *testing.T, b *Bundle) int {
	t.Helper()
	name := "bundles"
	listed, err := client(t, b).ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: &name})
	if isCode(err, "NoSuchUpload") {
		return 0
	}
	if err != nil {
		t.Fatal(err)
	}
	return len(listed.Uploads)
}

func client(t *testing.T, b *Bundle) (c *s3.Client) {
	t.Helper()
	opened, err := bucketOf(b).bucket(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !opened.As(&c) {
		t.Fatal("no S3 client")
	}
	return c
}
