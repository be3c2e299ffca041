package attachment

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
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

	"farewell/destination"
	"farewell/migration"
	"farewell/source"
)

// timings end what stands still soon.
func timings() migration.Timings {
	t := migration.DefaultTimings()
	t.FileStill = 300 * time.Millisecond
	return t
}

func openStore(t *testing.T, o Options) *Store {
	t.Helper()
	if o.Timings == (migration.Timings{}) {
		o.Timings = timings()
	}
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if len(s.room) != 0 {
			t.Errorf("%d files were left open", len(s.room))
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// random are bytes that are no text and do not compress.
func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{7}).Read(b) // never fails
	return b
}

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

// fetch reads a file to its end, or as far as it goes.
func fetch(t *testing.T, s *Store, a migration.Attachment) ([]byte, error) {
	t.Helper()
	f, err := s.Open(t.Context(), "acme", a)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

// hangUp ends the connection in the middle.
func hangUp(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_ = conn.Close() // the client sees it
	}
}

func TestAFileIsPassedOnWholeOrNotToItsEnd(t *testing.T) {
	t.Parallel()
	for name, n := range map[string]int64{"no whole chunks": 3*chunk + 17, "whole chunks": 3 * chunk} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			passedOnWholeOrNotToItsEnd(t, n)
		})
	}
}

func passedOnWholeOrNotToItsEnd(t *testing.T, n int64) {
	content := random(int(n))
	said := migration.Attachment{ID: "1", Size: n, SHA256: sum(content)}
	for _, row := range []struct {
		name    string
		says    migration.Attachment
		answers http.HandlerFunc
		code    string // empty: all of it arrives
		passing bool
	}{
		{"all as the source says", said, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(content) }, "", false},
		{"the source says no size and no sum", migration.Attachment{ID: "1"}, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(content) }, "", false},
		{"the sum in capitals", migration.Attachment{ID: "1", SHA256: strings.ToUpper(sum(content))}, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(content) }, "", false},
		{"an answer in chunks", said, func(w http.ResponseWriter, _ *http.Request) {
			_ = http.NewResponseController(w).Flush()
			_, _ = w.Write(content)
		}, "", false},
		{"an answer without any length", migration.Attachment{ID: "1"}, withoutLength(content), migration.FileUnmeasured, false},
		{"an answer without any length, and the source knows it", migration.Attachment{ID: "1", Size: n}, withoutLength(content), "", false},
		{"an answer without any length, cut short", migration.Attachment{ID: "1", Size: n}, withoutLength(content[:n-1]), migration.FileCutShort, false},
		{"a byte less than the source says", said, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(content[1:]) }, migration.FileCutShort, false},
		{"a byte more than the source says", said, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(append(content, 0)) }, migration.FileDiffers, false},
		{"a byte more, in chunks", said, func(w http.ResponseWriter, _ *http.Request) {
			_ = http.NewResponseController(w).Flush()
			_, _ = w.Write(append(content[:n:n], 0))
		}, migration.FileDiffers, false},
		{"another byte", said, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(append(content[:n-1:n-1], content[n-1]^1))
		}, migration.FileDiffers, false},
		{"the connection ends before the length", said, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(n))
			_, _ = w.Write(content[:2*chunk+5])
			_ = http.NewResponseController(w).Flush()
			hangUp(w)
		}, migration.FileCutShort, true},
		{"the connection ends within the chunks", migration.Attachment{ID: "1"}, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(content[:2*chunk+5])
			_ = http.NewResponseController(w).Flush()
			hangUp(w)
		}, migration.FileCutShort, true},
		{"it stands still", said, func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write(content[:2*chunk])
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}, migration.FileCutShort, true},
		{"no answer", said, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, migration.FileUnavailable, true},
		{"packed, unasked", said, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(content)
		}, migration.FileDiffers, false},
		{"not found", said, http.NotFound, migration.FileNotFound, false},
		{"gone", said, status(http.StatusGone), migration.FileNotFound, false},
		{"not for us", said, status(http.StatusForbidden), migration.FileUnavailable, false},
		{"its server is unwell", said, status(http.StatusBadGateway), migration.FileUnavailable, true},
		{"too many requests", said, status(http.StatusTooManyRequests), migration.FileUnavailable, true},
		{"an answer without content", said, status(http.StatusNoContent), migration.FileUnavailable, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			origin := serve(t, row.answers)
			s := openStore(t, Options{Origins: []string{origin}})
			row.says.URL = origin + "/a/file?signature=secret"
			got, err := fetch(t, s, row.says)
			if row.code == "" {
				if err != nil || !bytes.Equal(got, content) {
					t.Fatalf("%d bytes, %v: want all %d", len(got), err, n)
				}
				return
			}
			var failure *destination.FileError
			if !errors.As(err, &failure) || failure.Code != row.code || failure.Passing != row.passing {
				t.Fatalf("%v: want %s, passing %t", err, row.code, row.passing)
			}
			if int64(len(got)) >= n {
				t.Errorf("%d of %d bytes were passed on, which somebody may take for the whole", len(got), n)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("the error quotes the address: %v", err)
			}
		})
	}
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// withoutLength answers as servers did before HTTP/1.1: the end of the
// connection is the end of the file.
func withoutLength(content []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, to, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = to.WriteString("HTTP/1.0 200 OK\r\n\r\n")
		_, _ = to.Write(content)
		_ = to.Flush()
	}
}

func TestNothingIsFetchedFromElsewhere(t *testing.T) {
	t.Parallel()
	var inside atomic.Int64
	elsewhere := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		inside.Add(1)
		_, _ = w.Write([]byte("a secret of the inside"))
	})
	var allowed string
	allowed = serve(t, func(w http.ResponseWriter, r *http.Request) {
		if ref := r.Referer(); ref != "" {
			t.Errorf("the next hop learns where it came from: %s", ref)
		}
		switch r.URL.Path {
		case "/out":
			http.Redirect(w, r, elsewhere+"/latest/meta-data", http.StatusFound)
		case "/twice":
			http.Redirect(w, r, allowed+"/out", http.StatusTemporaryRedirect)
		case "/file":
			http.Redirect(w, r, "file:///etc/passwd", http.StatusMovedPermanently)
		case "/user":
			http.Redirect(w, r, strings.Replace(allowed, "http://", "http://user:pass@", 1)+"/ok", http.StatusFound)
		case "/round":
			http.Redirect(w, r, "/round", http.StatusFound)
		case "/near":
			http.Redirect(w, r, "/nearer", http.StatusFound)
		case "/nearer":
			http.Redirect(w, r, "/ok", http.StatusSeeOther)
		default:
			_, _ = w.Write([]byte("fine"))
		}
	})
	s := openStore(t, Options{Origins: []string{allowed, "http://169.254.169.254"}})
	host := strings.TrimPrefix(allowed, "http://")
	port := host[strings.LastIndex(host, ":"):]
	for _, row := range []struct{ name, url, code string }{
		{"the origin itself", allowed + "/ok", ""},
		{"redirects within it", allowed + "/near", ""},
		{"the scheme in capitals", "HTTP://" + host + "/ok", ""},
		{"another port", elsewhere + "/ok", migration.FileOriginNotAllowed},
		{"another scheme", "https://" + host + "/ok", migration.FileOriginNotAllowed},
		{"another name of the same address", "http://localhost" + port + "/ok", migration.FileOriginNotAllowed},
		{"a name that begins alike", "http://" + strings.TrimSuffix(host, port) + ".example.com" + port + "/ok", migration.FileOriginNotAllowed},
		{"the origin as a user's name", "http://" + host + "@" + strings.TrimPrefix(elsewhere, "http://") + "/ok", migration.FileOriginNotAllowed},
		{"a user", "http://user:pass@" + host + "/ok", migration.FileOriginNotAllowed},
		{"a backslash", "http://" + host + "\\@" + strings.TrimPrefix(elsewhere, "http://") + "/ok", migration.FileNotFound},
		{"no host", "/etc/passwd", migration.FileOriginNotAllowed},
		{"a file", "file:///etc/passwd", migration.FileOriginNotAllowed},
		{"gopher", "gopher://" + host + "/", migration.FileOriginNotAllowed},
		{"a control character", allowed + "/a\nb", migration.FileNotFound},
		{"a redirect to elsewhere", allowed + "/out", migration.FileOriginNotAllowed},
		{"a redirect to a redirect to elsewhere", allowed + "/twice", migration.FileOriginNotAllowed},
		{"a redirect to a file", allowed + "/file", migration.FileOriginNotAllowed},
		{"a redirect with a user", allowed + "/user", migration.FileOriginNotAllowed},
		{"redirects without end", allowed + "/round", migration.FileUnavailable},
		{"an allowed name with an address that is no file server's", "http://169.254.169.254/latest/meta-data", migration.FileOriginNotAllowed},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := fetch(t, s, migration.Attachment{ID: "1", URL: row.url})
			var failure *destination.FileError
			switch {
			case row.code == "" && (err != nil || string(got) != "fine"):
				t.Errorf("%q, %v: want the file", got, err)
			case row.code != "" && (!errors.As(err, &failure) || failure.Code != row.code || failure.Passing):
				t.Errorf("%q, %v: want %s for good", got, err, row.code)
			}
		})
	}
	if n := inside.Load(); n != 0 {
		t.Errorf("%d requests went to a place that is not allowed", n)
	}
}

func TestOriginsAreSpeltInOneWay(t *testing.T) {
	t.Parallel()
	s := openStore(t, Options{Origins: []string{"https://Files.Example.com/", "http://[::1]:8080"}})
	for origin, want := range map[string]bool{
		"https://files.example.com":      true,
		"https://files.example.com:443":  true,
		"https://files.example.com.":     true,
		"https://files.example.com:8443": false,
		"http://files.example.com":       false,
		"http://[::1]:8080":              true,
		"":                               false,
	} {
		if got := s.Reaches(migration.FilePlace{Kind: migration.FileAtURL, Origin: origin}); got != want {
			t.Errorf("origin %q: reached %t, want %t", origin, got, want)
		}
	}
	for _, wrong := range []string{"files.example.com", "https://", "https://u@files.example.com", "https://files.example.com/a", "ftp://files.example.com", "https://a?b"} {
		if _, err := Open(t.Context(), Options{Origins: []string{wrong}}); err == nil || !strings.Contains(err.Error(), "must look like") {
			t.Errorf("origin %q: %v, want a word on how it must look", wrong, err)
		}
	}
}

func TestFilesOfABucketAreFetchedByKey(t *testing.T) { // not parallel: AWS's SDK reads the environment
	content := random(chunk + 1)
	folder := t.TempDir()
	inside := filepath.Join(folder, "bucket", "acme")
	for path, content := range map[string][]byte{filepath.Join(inside, "1"): content, filepath.Join(folder, "secret"): []byte("outside")} {
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, address := range map[string]string{
		"a folder":        "file://" + filepath.ToSlash(filepath.Join(folder, "bucket")),
		"an object store": objectStore(t, "acme/1", content),
	} {
		t.Run(name, func(t *testing.T) {
			s := openStore(t, Options{Bucket: address})
			got, err := fetch(t, s, migration.Attachment{ID: "1", BlobKey: "acme/1", Size: chunk + 1, SHA256: sum(content)})
			if err != nil || !bytes.Equal(got, content) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
			for _, row := range []struct {
				key, code string
				size      int64
			}{
				{"acme/2", migration.FileNotFound, 0},
				{"../secret", migration.FileNotFound, 0},
				{"acme/../../secret", migration.FileNotFound, 0},
				{"/etc/passwd", migration.FileNotFound, 0},
				{"acme/1", migration.FileCutShort, chunk + 2},
			} {
				got, err := fetch(t, s, migration.Attachment{ID: "1", BlobKey: row.key, Size: row.size})
				var failure *destination.FileError
				if !errors.As(err, &failure) || failure.Code != row.code || failure.Passing {
					t.Errorf("key %s: %d bytes, %v: want %s", row.key, len(got), err, row.code)
				}
			}
		})
	}
	none := openStore(t, Options{})
	_, err := fetch(t, none, migration.Attachment{ID: "1", BlobKey: "acme/1"})
	var failure *destination.FileError
	if !errors.As(err, &failure) || failure.Code != migration.FileOriginNotAllowed || none.Reaches(migration.FilePlace{Kind: migration.FileInBucket}) {
		t.Errorf("without a bucket: %v", err)
	}
}

// objectStore is a server that speaks S3, with one object.
func objectStore(t *testing.T, key string, content []byte) string {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", "key")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	backend := s3mem.New()
	if err := backend.CreateBucket("files"); err != nil {
		t.Fatal(err)
	}
	if _, err := backend.PutObject("files", key, nil, bytes.NewReader(content), int64(len(content)), nil); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(server.Close)
	query := url.Values{"region": {"eu-central-1"}, "endpoint": {server.URL}, "use_path_style": {"true"}}
	return "s3://files?" + query.Encode()
}

// table is a database column that may change while it is read.
type table struct {
	content []byte
	slices  int
	change  func(slice int) // before each slice, counted from 1
	err     error
}

func (d *table) StatFile(context.Context, string, migration.Attachment) (source.StoredFile, bool, error) {
	return source.StoredFile{Size: int64(len(d.content)), SHA256: sum(d.content)}, d.content != nil, d.err
}

func (d *table) ReadFile(_ context.Context, _ string, _ migration.Attachment, offset int64, n int) ([]byte, error) {
	d.slices++
	if d.change != nil {
		d.change(d.slices)
	}
	if d.err != nil {
		return nil, d.err
	}
	from := min(offset, int64(len(d.content)))
	return d.content[from:min(from+int64(n), int64(len(d.content)))], nil
}

func TestAFileOfTheDatabaseThatChangesMeanwhileIsNotPassedOn(t *testing.T) {
	t.Parallel()
	const n = 2*sliceBytes + 3
	for _, row := range []struct {
		name    string
		change  func(d *table)
		code    string
		passing bool
	}{
		{"it stays", func(*table) {}, "", false},
		{"it becomes another of the same length", func(d *table) { d.content = append([]byte(nil), d.content...); d.content[n-1] ^= 1 }, migration.FileDiffers, false},
		{"it becomes shorter", func(d *table) { d.content = d.content[:n-1] }, migration.FileCutShort, false},
		{"it becomes longer", func(d *table) { d.content = append(d.content[:n:n], 0) }, migration.FileDiffers, false},
		{"the database goes away", func(d *table) { d.err = errors.New("gone") }, migration.FileCutShort, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			content := random(n)
			d := &table{content: content}
			d.change = func(slice int) {
				if slice == 3 {
					row.change(d)
				}
			}
			s := openStore(t, Options{Stored: d})
			got, err := fetch(t, s, migration.Attachment{ID: "1", TicketID: "1", Stored: true})
			if row.code == "" {
				if err != nil || !bytes.Equal(got, content) {
					t.Errorf("%d bytes, %v", len(got), err)
				}
				return
			}
			var failure *destination.FileError
			if !errors.As(err, &failure) || failure.Code != row.code || failure.Passing != row.passing || len(got) >= n {
				t.Errorf("%d of %d bytes, %v: want %s", len(got), n, err, row.code)
			}
		})
	}
}

func TestAnAttachmentWithoutAPlaceIsNowhere(t *testing.T) {
	t.Parallel()
	_, err := fetch(t, openStore(t, Options{}), migration.Attachment{ID: "1"})
	var failure *destination.FileError
	if !errors.As(err, &failure) || failure.Code != migration.FilePlaceUnknown {
		t.Errorf("%v", err)
	}
}

func TestWhoeverCancelsHearsThatAndNothingElse(t *testing.T) {
	t.Parallel()
	begun := make(chan struct{})
	origin := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write(random(2 * chunk))
		_ = http.NewResponseController(w).Flush()
		close(begun)
		<-r.Context().Done()
	})
	s := openStore(t, Options{Origins: []string{origin}, Timings: migration.DefaultTimings()})
	ctx, cancel := context.WithCancel(t.Context())
	f, err := s.Open(ctx, "acme", migration.Attachment{ID: "1", URL: origin})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	<-begun
	cancel()
	_, err = io.ReadAll(f)
	var failure *destination.FileError
	if !errors.Is(err, context.Canceled) || errors.As(err, &failure) {
		t.Errorf("%v, want the cancellation", err)
	}
}

func TestOnlySoManyFilesAreOpenAtATime(t *testing.T) {
	t.Parallel()
	origin := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("x")) })
	s := openStore(t, Options{Origins: []string{origin}})
	var open []destination.File
	for range mostOpen {
		f, err := s.Open(t.Context(), "acme", migration.Attachment{ID: "1", URL: origin})
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, f)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.Open(ctx, "acme", migration.Attachment{ID: "1", URL: origin}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("one more: %v, want to wait", err)
	}
	for _, f := range open {
		_ = f.Close()
		_ = f.Close() // harmless
	}
}

func TestAPlaceThatCannotBeReachedIsToldFromAFileThatCannot(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	down := "http://" + listener.Addr().String()
	_ = listener.Close() // nobody listens there from now on
	well := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/bad" {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		_, _ = w.Write([]byte("x"))
	})
	s := openStore(t, Options{Origins: []string{down, well}})
	take := func(address string, meanwhile func()) error {
		return destination.TakeFile(t.Context(), func(ctx context.Context, a migration.Attachment) (destination.File, error) {
			f, err := s.Open(ctx, "acme", a)
			meanwhile()
			return f, err
		}, migration.Attachment{ID: "1", URL: address}, func(f destination.File) error {
			_, err := io.Copy(io.Discard, f)
			return err
		})
	}
	var failure *destination.FileError
	if err := take(down, func() {}); !errors.As(err, &failure) || !failure.Passing {
		t.Errorf("a server that is down: %v, want an error that passes", err)
	}
	others := func() {
		if _, err := fetch(t, s, migration.Attachment{ID: "2", URL: well + "/good"}); err != nil {
			t.Error(err)
		}
	}
	if err := take(well+"/bad", others); !errors.As(err, &failure) || failure.Passing || failure.Code != migration.FileUnavailable {
		t.Errorf("a file that cannot be had while others can: %v, want its fate", err)
	}
}
