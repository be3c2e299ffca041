package zendesk_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
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
	"farewell/destination/zendesk"
	"farewell/migration"
)

const uploadEndpoint = "POST /api/v2/uploads"

// shelf opens files by id. What has no content cannot be had, with the error
// that is there instead.
type shelf struct {
	mu      sync.Mutex
	content map[string][]byte
	fails   map[string]error
	opened  atomic.Int64
	open    atomic.Int64 // now
	most    atomic.Int64
}

func (s *shelf) OpenFile(_ context.Context, a migration.Attachment) (destination.File, error) {
	s.opened.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	content, there := s.content[a.ID]
	if !there {
		return destination.File{}, s.fails[a.ID]
	}
	if n := s.open.Add(1); n > s.most.Load() {
		s.most.Store(n)
	}
	return destination.File{ReadCloser: &lent{from: io.MultiReader(bytes.NewReader(content), endsWith{s.fails[a.ID]}), of: s}, Size: a.Size}, nil
}

// endsWith ends a reader with an error; nil: well.
type endsWith struct{ err error }

func (e endsWith) Read([]byte) (int, error) {
	if e.err != nil {
		return 0, e.err
	}
	return 0, io.EOF
}

type lent struct {
	from io.Reader
	of   *shelf
	once sync.Once
}

func (l *lent) Read(p []byte) (int, error) { return l.from.Read(p) }

func (l *lent) Close() error {
	l.once.Do(func() { l.of.open.Add(-1) })
	return nil
}

// attach gives the ticket's first comment a file of that content.
func (s *shelf) attach(t *migration.Ticket, id, name string, content []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.content == nil {
		s.content, s.fails = map[string][]byte{}, map[string]error{}
	}
	s.content[id] = content
	a := migration.Attachment{ID: id, TicketID: t.ID, FileName: name, ContentType: "application/pdf", Size: int64(len(content))}
	if len(t.Comments) == 0 {
		t.Attachments = append(t.Attachments, a)
		return
	}
	t.Comments[0].Attachments = append(t.Comments[0].Attachments, a)
}

// fail lets the file fail, instead of or after its content.
func (s *shelf) fail(id string, err error, whole bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fails[id] = err
	if whole {
		delete(s.content, id)
	}
}

func prepareFiles(ctx context.Context, a *zendesk.Account, page migration.Page, files *shelf) (destination.Parcel, error) {
	return a.Prepare(ctx, destination.PrepareInput{Entity: migration.Tickets, Partition: "p", Page: page, Directory: nobody, OpenFile: files.OpenFile})
}

// bring sends a page with its files to its end.
func bring(t *testing.T, a *zendesk.Account, page migration.Page, files *shelf) (destination.Parcel, []migration.Item) {
	t.Helper()
	parcel, err := prepareFiles(within(t), a, page, files)
	if err != nil {
		t.Fatalf("prepare: %v", err)
	}
	return parcel, deliver(t, a, parcel)
}

func deliver(t *testing.T, a *zendesk.Account, parcel destination.Parcel) []migration.Item {
	t.Helper()
	b := migration.Batch{ID: "b", Entity: migration.Tickets, SourceIDs: parcel.Sent, SendBy: time.Now().Add(20 * time.Second)}
	release, err := a.Reserve(within(t))
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	receipt, err := a.Submit(within(t), b, parcel)
	if err != nil {
		t.Fatalf("submit: %v", err)
	}
	result, err := a.Await(within(t), receipt.JobID, migration.Tickets, b.SourceIDs)
	if err != nil || created(result.Items) != len(parcel.Sent) {
		t.Fatalf("await: %v, %+v", err, result)
	}
	return result.Items
}

// shown is a comment as the account shows it.
type shown struct {
	Body        string
	Public      bool
	Attachments []struct {
		ID          int64
		FileName    string `json:"file_name"`
		ContentType string `json:"content_type"`
		ContentURL  string `json:"content_url"`
		Size        int64
	}
}

func (s *sandbox) comments(t *testing.T, id string) []shown {
	t.Helper()
	var page struct{ Comments []shown }
	s.getJSON(t, s.http.URL+"/accounts/acme/api/v2/tickets/"+id+"/comments", &page)
	return page.Comments
}

func (s *sandbox) content(t *testing.T, address string) []byte {
	t.Helper()
	res, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	content, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d, %v", address, res.StatusCode, err)
	}
	return content
}

// getJSON reads from the account's API.
func (s *sandbox) getJSON(t *testing.T, address string, into any) {
	t.Helper()
	req, err := http.NewRequestWithContext(within(t), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer sandbox-acme")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }() // read to its end below
	if err := json.NewDecoder(res.Body).Decode(into); err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d, %v", address, res.StatusCode, err)
	}
}

func TestAttachmentsArriveByteForByteWithTheirComments(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, nil)
	a := s.open(t)
	page := tickets("with", 3)
	page.Tickets[2].Comments = nil
	page.Tickets[0].Comments = append(page.Tickets[0].Comments, migration.Comment{Body: "second", CreatedAt: time.Unix(1e9+60, 0)})
	var files shelf
	want := map[string][]byte{"a.pdf": []byte("first"), "b ü.pdf": bytes.Repeat([]byte{0, 1, 254}, 1<<16), "empty": {}, "none.pdf": []byte("of no comment")}
	files.attach(&page.Tickets[0], "1", "a.pdf", want["a.pdf"])
	files.attach(&page.Tickets[0], "2", "b ü.pdf", want["b ü.pdf"])
	files.attach(&page.Tickets[0], "3", "empty", want["empty"])
	files.attach(&page.Tickets[2], "4", "none.pdf", want["none.pdf"])
	parcel, items := bring(t, a, page, &files)
	if len(parcel.Files) != 4 || time.Since(parcel.Uploaded) > time.Minute {
		t.Errorf("files %+v, uploaded %s", parcel.Files, parcel.Uploaded)
	}
	for _, f := range parcel.Files {
		if f.Code != "" || f.TargetID == "" {
			t.Errorf("file %+v, want it uploaded", f)
		}
	}
	first, second, third := s.comments(t, items[0].TargetID), s.comments(t, items[1].TargetID), s.comments(t, items[2].TargetID)
	if len(first) != 2 || len(first[0].Attachments) != 3 || len(first[1].Attachments) != 0 || len(second[0].Attachments) != 0 || len(third) != 1 || len(third[0].Attachments) != 1 {
		t.Fatalf("comments\n%+v\n%+v\n%+v", first, second, third)
	}
	for i, f := range append(first[0].Attachments, third[0].Attachments...) {
		names := []string{"a.pdf", "b ü.pdf", "empty", "none.pdf"}
		if f.FileName != names[i] || f.ContentType != "application/pdf" || !bytes.Equal(s.content(t, f.ContentURL), want[f.FileName]) {
			t.Errorf("attachment %d: %+v, or its content differs", i, f)
		}
	}
	if n, err := a.CountFiles(within(t), items[0].TargetID); n != 3 || err != nil {
		t.Errorf("counted %d, %v", n, err)
	}
}

func TestATicketArrivesWithoutTheFilesThatCannotBeHadAndSaysSo(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, map[string]any{"max_upload_bytes": 1000, "upload_extensions": []string{"pdf"}})
	a := s.open(t)
	fileError := func(code string, passing bool) error {
		return &destination.FileError{Code: code, Text: "its reason", Passing: passing}
	}
	for _, row := range []struct {
		name, file string
		prepare    func(files *shelf, t *migration.Ticket)
		code       string
	}{
		{"larger than the account takes", "a.pdf", func(f *shelf, t *migration.Ticket) { f.attach(t, "1", "a.pdf", make([]byte, 1001)) }, migration.FileTooLarge},
		{"larger than it says", "a.pdf", func(f *shelf, t *migration.Ticket) {
			f.attach(t, "1", "a.pdf", make([]byte, 200_000))
			t.Comments[0].Attachments[0].Size = -1
		}, migration.FileTooLarge},
		{"of a type that the account refuses", "a.exe", func(f *shelf, t *migration.Ticket) { f.attach(t, "1", "a.exe", []byte("x")) }, migration.FileRefused},
		{"gone", "a.pdf", func(f *shelf, t *migration.Ticket) {
			f.attach(t, "1", "a.pdf", nil)
			f.fail("1", fileError(migration.FileNotFound, false), true)
		}, migration.FileNotFound},
		{"cut short", "a.pdf", func(f *shelf, t *migration.Ticket) {
			f.attach(t, "1", "a.pdf", make([]byte, 500))
			t.Comments[0].Attachments[0].Size = 900
			f.fail("1", fileError(migration.FileCutShort, true), false)
		}, migration.FileCutShort},
		{"cut short, of a length that nobody knows", "a.pdf", func(f *shelf, t *migration.Ticket) {
			f.attach(t, "1", "a.pdf", make([]byte, 500))
			t.Comments[0].Attachments[0].Size = -1
			f.fail("1", fileError(migration.FileCutShort, true), false)
		}, migration.FileCutShort},
		{"other bytes than the sum says", "a.pdf", func(f *shelf, t *migration.Ticket) {
			f.attach(t, "1", "a.pdf", make([]byte, 500))
			t.Comments[0].Attachments[0].Size = 501
			f.fail("1", fileError(migration.FileDiffers, false), false)
		}, migration.FileDiffers},
	} {
		t.Run(row.name, func(t *testing.T) {
			page := tickets(strings.ReplaceAll(row.name, " ", ""), 1)
			var files shelf
			row.prepare(&files, &page.Tickets[0])
			files.attach(&page.Tickets[0], "2", "good.pdf", []byte("good"))
			parcel, items := bring(t, a, page, &files)
			if len(parcel.Files) != 2 || parcel.Files[0].Code != row.code || parcel.Files[0].Text == "" || parcel.Files[1].Code != "" {
				t.Errorf("files %+v, want %s and a good one", parcel.Files, row.code)
			}
			got := s.comments(t, items[0].TargetID)
			if len(got) != 2 || got[1].Public || !strings.Contains(got[1].Body, `"`+row.file+`"`) || !strings.Contains(got[1].Body, parcel.Files[0].Text) {
				t.Fatalf("comments %+v: want a private one that names the file", got)
			}
			if len(got[0].Attachments) != 1 || got[0].Attachments[0].FileName != "good.pdf" {
				t.Errorf("attachments %+v, want the good one", got[0].Attachments)
			}
			if n := files.open.Load(); n != 0 {
				t.Errorf("%d files were left open", n)
			}
		})
	}
	if n := s.count(t, "attachments"); n != 7 {
		t.Errorf("%d attachments in the account, want the 7 good ones", n)
	}
}

func TestAnUploadThatGotNoAnswerIsMadeAgain(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		more map[string]any
	}{
		{"cut_before", nil}, {"cut_after", nil}, {"cut_half", nil}, {"error_after", nil}, {"error_before", map[string]any{"status": 502}},
		{"rate_limited", map[string]any{"retry_after": 1}}, {"unavailable", map[string]any{"retry_after": 1}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			more := map[string]any{"count": 1}
			for k, v := range row.more {
				more[k] = v
			}
			s := newSandbox(t, fault(row.name, "uploads", more))
			a := s.open(t)
			page := tickets("again", 1)
			var files shelf
			files.attach(&page.Tickets[0], "1", "a.pdf", bytes.Repeat([]byte("x"), 100_000))
			parcel, items := bring(t, a, page, &files)
			if parcel.Files[0].Code != "" {
				t.Fatalf("file %+v", parcel.Files[0])
			}
			if got := s.comments(t, items[0].TargetID); len(got) != 1 || len(got[0].Attachments) != 1 || got[0].Attachments[0].Size != 100_000 {
				t.Errorf("comments %+v: want the file once", got)
			}
		})
	}
}

func TestAFileOverWhichTheAccountStumblesIsRefusedWhileOthersArrive(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, fault("error_before", "uploads", nil))
	a := s.open(t)
	page := tickets("stumble", 1)
	var files shelf
	files.attach(&page.Tickets[0], "1", "a.pdf", []byte("x"))
	_, err := prepareFiles(within(t), a, page, &files)
	if destination.KindOf(err) != destination.Temporary {
		t.Errorf("an account that takes no file: %v, want an error that passes", err)
	}
	// The first to arrive is taken; the other one meets the fault each time.
	s.configure(t, fault("error_before", "uploads", map[string]any{"skip": 1, "count": 3}))
	files.attach(&page.Tickets[0], "2", "b.pdf", []byte("x"))
	parcel, items := bring(t, a, page, &files)
	refused := 0
	for _, f := range parcel.Files {
		if f.Code == migration.FileRefused {
			refused++
		}
	}
	if got := s.comments(t, items[0].TargetID); refused != 1 || len(got[0].Attachments) != 1 {
		t.Errorf("files %+v, attachments %+v: want one of each", parcel.Files, got[0].Attachments)
	}
}

func TestAPlaceThatDoesNotAnswerHoldsTheBatch(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, nil)
	a := s.open(t)
	page := tickets("down", 2)
	var files shelf
	for i := range page.Tickets {
		files.attach(&page.Tickets[i], fmt.Sprint(i), "a.pdf", nil)
		files.fail(fmt.Sprint(i), &destination.FileError{Code: migration.FileUnavailable, Text: "no answer", Passing: true}, true)
	}
	_, err := prepareFiles(within(t), a, page, &files)
	var failure *destination.Error
	if !errors.As(err, &failure) || failure.Kind != destination.Temporary || failure.Code != "files_unreachable" || failure.RetryAfter == 0 {
		t.Errorf("%v, want to wait until the place answers", err)
	}
	if n := s.count(t, "tickets"); n != 0 {
		t.Errorf("%d tickets were sent without their files", n)
	}
}

func TestUploadsKeepToThePaceAndAreBounded(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, map[string]any{"plan_per_minute": 100_000})
	account := s.account()
	account.PlanPerMinute = 100_000
	a := open(t, zendesk.Options{Account: account, Timings: timings()})
	page := tickets("many", 40)
	var files shelf
	for i := range page.Tickets {
		files.attach(&page.Tickets[i], fmt.Sprint(i), "a.pdf", []byte("x"))
	}
	bring(t, a, page, &files)
	if n := s.requests(t, uploadEndpoint); n != 40 {
		t.Errorf("%d uploads, want 40", n)
	}
	if n := files.most.Load(); n > 10 || n < 2 {
		t.Errorf("%d files were open at a time, want at most 10, and some", n)
	}
	if n := files.opened.Load(); n != 40 {
		t.Errorf("files were opened %d times, want 40", n)
	}
	// A small plan: the uploads of a minute are what it leaves to us.
	small := newSandbox(t, map[string]any{"plan_per_minute": 60})
	account = small.account()
	account.PlanPerMinute = 60
	bring(t, open(t, zendesk.Options{Account: account, Timings: timings()}), tickets("few", 1), &shelf{})
	b := open(t, zendesk.Options{Account: account, Timings: timings()})
	bring(t, b, page, &files)
	if n := small.count(t, "answers_429"); n != 0 {
		t.Errorf("%d requests were too many", n)
	}
	if n := small.count(t, "peak_requests_per_window"); n > 48 {
		t.Errorf("%d requests in a minute, want 48 of 60", n)
	}
}

func TestAFileThatIsRenamedIsAChangeOnTheList(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, nil)
	a := s.open(t)
	page := tickets("t", 1)
	var files shelf
	long := strings.Repeat("é", 200)
	for id, name := range map[string]string{"1": "plain name.pdf", "2": " a\r\nb\x7f.pdf", "3": long + ".pdf", "4": "\t", "5": "gone\n.pdf"} {
		files.attach(&page.Tickets[0], id, name, []byte(id))
	}
	files.fail("5", &destination.FileError{Code: migration.FileNotFound, Text: "it is gone"}, true)
	parcel, items := bring(t, a, page, &files)
	want := map[string]string{"2": "ab.pdf", "3": strings.Repeat("é", 125) + ".pdf", "4": "attachment-4"}
	for _, c := range parcel.Changes {
		if c.Rule != migration.RuleFileRenamed {
			continue
		}
		if c.Field != "attachments.file_name" || c.After != migration.HashText(want[c.Part]) {
			t.Errorf("change %+v", c)
		}
		delete(want, c.Part)
	}
	if len(want) != 0 {
		t.Errorf("not listed: %q", want)
	}
	var names []string
	for _, f := range s.comments(t, items[0].TargetID)[0].Attachments {
		names = append(names, f.FileName)
	}
	slices.Sort(names)
	if want := []string{"ab.pdf", "attachment-4", "plain name.pdf", strings.Repeat("é", 125) + ".pdf"}; !slices.Equal(names, want) {
		t.Errorf("names %q, want %q", names, want)
	}
}
