package activities_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"farewell/destination"
	"farewell/migration"
)

// hour makes an hour of the account, which is how long it keeps an upload for
// its ticket, a second.
const hour = 3600

// newHasty is a stage whose account lives so fast, with tickets of two files
// each.
func newHasty(t *testing.T, tickets int, secondsPerTicket float64) *stage {
	t.Helper()
	s := newStage(t, tickets, map[string]any{"time_scale": hour, "plan_per_minute": 1_000_000, "seconds_per_ticket": secondsPerTicket})
	standard := migration.DefaultTimings()
	s.timings.UploadLife, s.timings.UploadFresh = standard.UploadLife/hour, standard.UploadFresh/hour
	for i := range s.source.tickets {
		s.files.put(&s.source.tickets[i], 0, 500)
		s.files.put(&s.source.tickets[i], 0, 70_000)
	}
	return s
}

// ask sends a request with the account's credentials.
func (s *stage) ask(method, address string, body io.Reader) *http.Response {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), method, address, body)
	must(s.t, err)
	request.Header.Set("Authorization", "Bearer sandbox-acme")
	response, err := http.DefaultClient.Do(request)
	must(s.t, err)
	s.t.Cleanup(func() { _ = response.Body.Close() }) // only read
	return response
}

// outlive returns when an upload that is made now has expired, and with it all
// that were made before.
func (s *stage) outlive() {
	s.t.Helper()
	var made struct {
		Upload struct {
			Attachment struct {
				URL string `json:"content_url"`
			}
		}
	}
	address := s.sandbox.URL + "/accounts/acme/api/v2/uploads?filename=canary.txt"
	must(s.t, json.NewDecoder(s.ask(http.MethodPost, address, strings.NewReader("canary")).Body).Decode(&made))
	for s.ask(http.MethodGet, made.Upload.Attachment.URL, nil).StatusCode != http.StatusNotFound {
		if err := s.t.Context().Err(); err != nil {
			s.t.Fatal(err)
		}
	}
}

// sums are the SHA-256 of the files at each ticket in the account, by source id.
func (s *stage) sums() map[string][]string {
	s.t.Helper()
	sums := map[string][]string{}
	for id, target := range s.targets() {
		var page struct {
			Comments []struct {
				Attachments []struct {
					URL string `json:"content_url"`
				}
			}
		}
		must(s.t, json.NewDecoder(s.ask(http.MethodGet, fmt.Sprintf("%s/accounts/acme/api/v2/tickets/%d/comments", s.sandbox.URL, target), nil).Body).Decode(&page))
		for _, c := range page.Comments {
			for _, a := range c.Attachments {
				content, err := io.ReadAll(s.ask(http.MethodGet, a.URL, nil).Body)
				must(s.t, err)
				sums[id] = append(sums[id], fmt.Sprintf("%x", sha256.Sum256(content)))
			}
		}
		slices.Sort(sums[id])
	}
	return sums
}

// patient keeps the first batch with uploads waiting for its turn until they
// have expired.
type patient struct {
	destination.Batches
	outlive func()
	once    sync.Once
	uploads atomic.Int64 // batches that were prepared with some
}

func (p *patient) Prepare(ctx context.Context, in destination.PrepareInput) (destination.Parcel, error) {
	parcel, err := p.Batches.Prepare(ctx, in)
	if !parcel.Uploaded.IsZero() {
		p.uploads.Add(1)
	}
	return parcel, err
}

func (p *patient) Reserve(ctx context.Context) (func(), error) {
	if p.uploads.Load() > 0 {
		p.once.Do(p.outlive)
	}
	return p.Batches.Reserve(ctx)
}

func TestAnUploadThatExpiredBeforeItsBatchWasSentCostsNoAttachment(t *testing.T) {
	s := newHasty(t, 5, 0.15)
	p := &patient{outlive: s.outlive}
	w := s.hire().through(func(b destination.Batches) destination.Batches { p.Batches = b; return p })
	w.mustFinish()
	s.wantAllOnce()
	there := s.sums()
	for _, ticket := range s.source.tickets {
		var want []string
		for _, f := range ticket.Files() {
			want = append(want, fmt.Sprintf("%x", sha256.Sum256(s.files.content[f.ID])))
		}
		slices.Sort(want)
		if !slices.Equal(there[ticket.ID], want) {
			t.Errorf("ticket %s has %d files with the sums %v, want %v", ticket.ID, len(there[ticket.ID]), there[ticket.ID], want)
		}
	}
	counts, err := s.ledger.ExactCounts(t.Context(), acme, run)
	must(t, err)
	if n := p.uploads.Load(); n != 2 {
		t.Errorf("the files were uploaded %d times, want twice", n)
	}
	if got, want := counts[migration.Attachments], (migration.Counts{Read: 10, Created: 10}); got != want {
		t.Errorf("the ledger counts %+v of the attachments, want %+v", got, want)
	}
}

func TestAFileWhoseTicketWasMadeTooLateForItsUploadIsListed(t *testing.T) {
	s := newHasty(t, 3, hour/4) // of which a job waits five before it begins
	s.timings.SendWithin = 500 * time.Millisecond
	s.timings.JobOverdue = time.Minute
	w := s.hire()
	w.mustFinish()
	s.wantAllOnce()
	if there := s.sums(); len(there) != 0 {
		t.Fatalf("files %v are there: nothing came too late", there)
	}
	listed := 0
	must(t, s.ledger.Failures(t.Context(), acme, func(f migration.Failure) error {
		if f.Entity != migration.Attachments || f.Code != migration.FileExpired {
			t.Errorf("listed: %+v", f)
		}
		listed++
		return nil
	}))
	counts, err := s.ledger.ExactCounts(t.Context(), acme, run)
	must(t, err)
	if got, want := counts[migration.Attachments], (migration.Counts{Read: 6, Failed: 6}); got != want || listed != 6 {
		t.Errorf("the ledger counts %+v of the attachments and lists %d, want %+v", got, listed, want)
	}
	if out := w.readBack(run); out.Compared != 3 || out.Differing != 0 {
		t.Errorf("read back: %+v", out)
	}
}
