package csvbundle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"farewell/destination"
	"farewell/migration"
)

var acme = migration.Migration{Customer: "42", Destination: migration.DestinationCSV, Account: "acme"}

// columns are those of every view, as far as the tests need them.
func columns() destination.Columns {
	text := func(names ...string) (all []migration.Column) {
		for _, name := range names {
			all = append(all, migration.Column{Name: name, Type: migration.ColumnString})
		}
		return all
	}
	return destination.Columns{
		"organizations": text("id", "name"),
		"users":         text("id", "organization_id", "name"),
		"tickets":       text("id", "subject"),
		"ticket_tags":   {{Name: "ticket_id", Type: "string"}, {Name: "position", Type: "integer"}, {Name: "tag", Type: "string"}},
		"comments":      text("id", "ticket_id", "body"),
		"attachments":   text("id", "ticket_id", "comment_id"),
	}
}

func openAt(t testing.TB, url string) *Bundle {
	t.Helper()
	b, err := Open(Options{Account: destination.Account{Name: "acme", Customer: "42", URL: url}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// files is the bundle's vault on the file system.
func files(b *Bundle) *folder { return b.vault.(*folder) }

// part is the input of a part together with what is to be in its tickets and
// comments, and the attachments with their files, if it has any.
type part struct {
	in          destination.PartsInput
	tickets     string
	comments    string
	attachments string
	files       map[string]string
}

// with is the part with attachments, whose files hold these bytes.
func (p part) with(attachments string, files map[string]string) part {
	p.attachments, p.files = attachments, files
	return p
}

func makePart(n, pass int, tickets, comments string) part {
	return part{
		in: destination.PartsInput{Migration: acme, Pass: pass, Columns: columns(), Partition: migration.Partition{
			ID: migration.PartitionID(migration.Tickets, n), Entity: migration.Tickets, After: fmt.Sprint(n * 100),
		}},
		tickets: tickets, comments: comments,
	}
}

func (p part) ref() destination.PartRef {
	return destination.PartRef{Partition: p.in.Partition.ID, Pass: p.in.Pass}
}

func (p part) write(b *Bundle) (destination.Part, error) {
	in := p.in
	if p.files != nil {
		in.Files = newDepot(p.files).files()
	}
	return writeTexts(context.Background(), b, in, ticketViews, map[string]string{"tickets": p.tickets, "comments": p.comments, "attachments": p.attachments})
}

// writeTexts writes a part with these rows in its views.
func writeTexts(ctx context.Context, b *Bundle, in destination.PartsInput, views []string, texts map[string]string) (destination.Part, error) {
	return writeViews(ctx, b, in, views, func(_ context.Context, view string, w io.Writer) (int64, error) {
		_, err := io.WriteString(w, texts[view])
		return countRecords(texts[view]), err
	})
}

func countRecords(text string) int64 {
	r := newReader(strings.NewReader(text))
	for {
		if _, err := r.read(); err != nil {
			return r.records
		}
	}
}

// writeViews writes a part view by view, in the given order.
func writeViews(ctx context.Context, b *Bundle, in destination.PartsInput, views []string, copy func(ctx context.Context, view string, w io.Writer) (int64, error)) (destination.Part, error) {
	return b.WritePart(ctx, in, views, func(open func(view string) (io.Writer, error)) (map[string]int64, error) {
		rows := make(map[string]int64, len(views))
		for _, view := range views {
			w, err := open(view)
			if err != nil {
				return nil, err
			}
			if rows[view], err = copy(ctx, view, w); err != nil {
				return nil, fmt.Errorf("copy view %s: %w", view, err)
			}
		}
		return rows, nil
	})
}

func writeParts(t testing.TB, b *Bundle, parts ...part) {
	t.Helper()
	for _, p := range parts {
		if _, err := p.write(b); err != nil {
			t.Fatal(err)
		}
	}
}

func publishInput(parts ...part) destination.PublishInput {
	in := destination.PublishInput{Migration: acme, Columns: columns(), AsOf: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	for _, p := range parts {
		in.Parts = append(in.Parts, p.ref())
	}
	return in
}

func publish(t testing.TB, b *Bundle, parts ...part) destination.Bundle {
	t.Helper()
	published, err := b.Publish(context.Background(), publishInput(parts...))
	if err != nil {
		t.Fatal(err)
	}
	return published
}

// content is every file of a folder, by its path within.
func content(t testing.TB, path string) map[string]string {
	t.Helper()
	found := make(map[string]string)
	err := fs.WalkDir(os.DirFS(path), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(filepath.Join(path, name))
		found[name] = string(text)
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// leftovers lists what only a publishing or a try in progress may hold.
func leftovers(t testing.TB, b *Bundle) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(files(b).root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		for _, word := range []string{".publishing-", ".replaced-", ".dead-"} {
			if strings.Contains(d.Name(), word) {
				found = append(found, d.Name())
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func wantKind(t testing.TB, err error, kind destination.Kind) {
	t.Helper()
	if destination.KindOf(err) != kind {
		t.Fatalf("error is of kind %q, want %q: %v", destination.KindOf(err), kind, err)
	}
}

func TestOpenRefusesSettingsThatNameNoFolder(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, account, url string }{
		{"relative path", "acme", "bundles"},
		{"no url", "acme", ""},
		{"another machine", "acme", "file://server/bundles"},
		{"another scheme", "acme", "https://example.com/bundles"},
		{"an option that is none", "acme", "file:///bundles?format=tar"},
		{"an option of something else", "acme", "file:///bundles?region=eu"},
		{"two compressions", "acme", "file:///bundles?format=zip&compress=gzip"},
		{"no name", "", "/bundles"},
		{"name with a path", "../acme", "/bundles"},
		{"hidden name", ".acme", "/bundles"},
		{"long name", strings.Repeat("a", 201), "/bundles"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := Open(Options{Account: destination.Account{Name: tc.account, URL: tc.url}})
			wantKind(t, err, destination.Misconfigured)
		})
	}
}

func TestOpenTakesFileURLs(t *testing.T) {
	t.Parallel()
	b := openAt(t, "file:///srv/two%20words/")
	if files(b).where() != "/srv/two words/acme" {
		t.Fatal(files(b).where())
	}
}

func TestPublishPutsPartsTogetherInTheGivenOrder(t *testing.T) {
	t.Parallel()
	b := openAt(t, filepath.Join(t.TempDir(), "not", "there", "yet"))
	one, two := makePart(1, 0, "1,a\n2,b\n", "11,1,x\n"), makePart(2, 0, "3,c\n", "")
	stored, err := one.write(b)
	if err != nil {
		t.Fatal(err)
	}
	if stored.Rows["tickets"] != 2 || stored.Rows["comments"] != 1 || stored.Rows["attachments"] != 0 || stored.Bytes < 15 {
		t.Fatalf("stored %+v", stored)
	}
	writeParts(t, b, two)
	published := publish(t, b, two, one)
	if published.Path != files(b).where() || published.Rows["tickets"] != 3 || published.Rows["users"] != 0 {
		t.Fatalf("published %+v", published)
	}
	made := content(t, files(b).where())
	for name, want := range map[string]string{
		"data/tickets-0001.csv":  "id,subject\n3,c\n1,a\n2,b\n",
		"data/comments-0001.csv": "id,ticket_id,body\n11,1,x\n",
		"data/attachments.csv":   "id,ticket_id,comment_id\n",
		"data/organizations.csv": "id,name\n",
		"data/users.csv":         "id,organization_id,name\n",
	} {
		if made[name] != want {
			t.Errorf("%s is %q, want %q", name, made[name], want)
		}
	}
	if !strings.Contains(made["README.txt"], "NULL") || len(made) != 14 {
		t.Errorf("the bundle holds %d files", len(made))
	}
	wantValid(t, files(b).where())
}

func TestPublishAgainWritesNothing(t *testing.T) {
	t.Parallel()
	b := openAt(t, t.TempDir())
	p := makePart(1, 0, "1,a\n", "")
	writeParts(t, b, p)
	publish(t, b, p)
	before, err := os.Stat(filepath.Join(files(b).where(), manifestName))
	if err != nil {
		t.Fatal(err)
	}
	publish(t, b, p)
	after, err := os.Stat(filepath.Join(files(b).where(), manifestName))
	if err != nil {
		t.Fatal(err)
	}
	if !os.SameFile(before, after) {
		t.Fatal("the same bundle was written again")
	}
}

func TestSameRecordsGiveTheSameBytes(t *testing.T) {
	t.Parallel()
	parts := []part{makePart(1, 0, "1,a\n", "11,1,x\n"), makePart(2, 0, "2,b\n", "")}
	var bundles []map[string]string
	for range 2 {
		b := openAt(t, t.TempDir())
		writeParts(t, b, parts...)
		publish(t, b, parts...)
		bundles = append(bundles, content(t, files(b).where()))
	}
	for name, text := range bundles[0] {
		if bundles[1][name] != text {
			t.Errorf("%s differs", name)
		}
	}
}

func TestWritePartReplacesAnEarlierTry(t *testing.T) {
	t.Parallel()
	b := openAt(t, t.TempDir())
	writeParts(t, b, makePart(1, 0, "1,old\n", ""))
	p := makePart(1, 0, "1,new\n2,too\n", "")
	writeParts(t, b, p)
	publish(t, b, p)
	if got := content(t, files(b).where())["data/tickets-0001.csv"]; got != "id,subject\n1,new\n2,too\n" {
		t.Fatal(got)
	}
	tries, err := namesWithPrefix(files(b).staging(), "tickets-0001.0.try-")
	if err != nil || len(tries) != 1 {
		t.Fatalf("%d tries are stored, want 1 (%v)", len(tries), err)
	}
}

func TestACatchUpAddsToThePublishedBundle(t *testing.T) {
	t.Parallel()
	b := openAt(t, t.TempDir())
	first := makePart(1, 0, "1,a\n", "")
	writeParts(t, b, first)
	publish(t, b, first)
	late := makePart(1, 1, "2,late\n", "")
	writeParts(t, b, late)
	publish(t, b, first, late)
	if got := content(t, files(b).where())["data/tickets-0001.csv"]; got != "id,subject\n1,a\n2,late\n" {
		t.Fatal(got)
	}
	wantValid(t, files(b).where())
	if left := leftovers(t, b); left != nil {
		t.Fatalf("left over: %v", left)
	}
}

// A ledger that was lost and rebuilt from the bundle names no earlier parts.
func TestPublishTakesNothingOutOfABundle(t *testing.T) {
	t.Parallel()
	b := openAt(t, t.TempDir())
	first := makePart(1, 0, "1,a\n", "")
	writeParts(t, b, first)
	publish(t, b, first)
	if published := publish(t, b); published.Rows["tickets"] != 1 {
		t.Fatalf("an empty list of parts left %v", published.Rows)
	}
	late := makePart(7, 1, "2,late\n", "")
	writeParts(t, b, late)
	if published := publish(t, b, late); published.Rows["tickets"] != 2 {
		t.Fatalf("naming only the new part left %v", published.Rows)
	}
}

func TestWritePartNeverReplacesOtherPublishedRecords(t *testing.T) {
	t.Parallel()
	b := openAt(t, t.TempDir())
	first, late := makePart(1, 0, "1,a\n", ""), makePart(1, 1, "2,late\n", "")
	writeParts(t, b, first, late)
	publish(t, b, first, late)

	otherRange := first
	otherRange.in.Partition.UpTo = "150"
	_, err := otherRange.write(b)
	wantKind(t, err, destination.Refused)
	_, err = makePart(1, 1, "3,later\n", "").write(b)
	wantKind(t, err, destination.Refused)

	again := makePart(1, 0, "1,a\n4,more\n", "") // the same range, read again
	writeParts(t, b, again)
	if published := publish(t, b, again, late); published.Rows["tickets"] != 3 {
		t.Fatalf("published %v", published.Rows)
	}
}

func TestPartsMayBeDeletedAfterTheLastRun(t *testing.T) {
	t.Parallel()
	b := openAt(t, t.TempDir())
	first := makePart(1, 0, "1,a\n", "")
	writeParts(t, b, first)
	publish(t, b, first)
	if err := os.RemoveAll(files(b).staging()); err != nil {
		t.Fatal(err)
	}
	publish(t, b, first)
	late := makePart(1, 1, "2,late\n", "")
	writeParts(t, b, late)
	_, err := b.Publish(context.Background(), publishInput(first, late))
	wantKind(t, err, destination.Refused)
	if got := content(t, files(b).where())["data/tickets-0001.csv"]; got != "id,subject\n1,a\n" {
		t.Fatalf("the old bundle is gone: %q", got)
	}
}

func TestPublishRefuses(t *testing.T) {
	t.Parallel()
	p := makePart(1, 0, "1,a\n", "")
	other := acme
	other.Customer = "43"
	for _, tc := range []struct {
		name   string
		damage func(t *testing.T, b *Bundle)
		in     destination.PublishInput
		kind   destination.Kind
	}{
		{"a part that is missing", func(*testing.T, *Bundle) {}, publishInput(p, makePart(2, 0, "", "")), destination.Refused},
		{"a part named twice", func(*testing.T, *Bundle) {}, publishInput(p, p), destination.Refused},
		{"another customer's parts", func(*testing.T, *Bundle) {}, destination.PublishInput{Migration: other, Columns: columns(), Parts: []destination.PartRef{p.ref()}}, destination.Misconfigured},
		{"a part with a changed byte", func(t *testing.T, b *Bundle) {
			damagePart(t, b, p, func(text []byte) []byte { text[len(text)-2] = 'b'; return text })
		}, publishInput(p), destination.Refused},
		{"a part that was cut", func(t *testing.T, b *Bundle) { damagePart(t, b, p, func(text []byte) []byte { return text[:2] }) }, publishInput(p), destination.Refused},
		{"a folder of someone else", func(t *testing.T, b *Bundle) {
			if err := os.MkdirAll(filepath.Join(files(b).where(), "holiday photos"), 0o755); err != nil {
				t.Fatal(err)
			}
		}, publishInput(p), destination.Misconfigured},
		{"a file in the way", func(t *testing.T, b *Bundle) {
			if err := os.WriteFile(files(b).where(), []byte("hello"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, publishInput(p), destination.Misconfigured},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := openAt(t, t.TempDir())
			writeParts(t, b, p)
			tc.damage(t, b)
			_, err := b.Publish(context.Background(), tc.in)
			wantKind(t, err, tc.kind)
			if _, err := readRecord(os.DirFS(files(b).where())); err == nil {
				t.Fatal("a bundle was published")
			}
			if left := leftovers(t, b); left != nil {
				t.Fatalf("left over: %v", left)
			}
		})
	}
}

// damagePart rewrites what is stored of a part.
func damagePart(t *testing.T, b *Bundle, p part, damage func([]byte) []byte) {
	t.Helper()
	stored, err := b.storedPart(context.Background(), p.ref())
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(files(b).staging(), stored.Try, "tickets")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, damage(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestPublishReplacesAnEmptyFolder(t *testing.T) {
	t.Parallel()
	b := openAt(t, t.TempDir())
	if err := os.Mkdir(files(b).where(), 0o755); err != nil {
		t.Fatal(err)
	}
	p := makePart(1, 0, "1,a\n", "")
	writeParts(t, b, p)
	publish(t, b, p)
	wantValid(t, files(b).where())
}

func TestPublishEndsWhenCancelled(t *testing.T) {
	t.Parallel()
	b := openAt(t, t.TempDir())
	p := makePart(1, 0, "1,a\n", "")
	writeParts(t, b, p)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := b.Publish(ctx, publishInput(p)); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if left := leftovers(t, b); left != nil {
		t.Fatalf("left over: %v", left)
	}
}

func TestTwoPublishingsAtOnceStayApart(t *testing.T) {
	t.Parallel()
	b := openAt(t, t.TempDir())
	other := openAt(t, files(b).root) // as another process would be
	p := makePart(1, 0, "1,a\n", "")
	writeParts(t, b, p)
	unlock, err := other.vault.lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.Publish(context.Background(), publishInput(p))
	wantKind(t, err, destination.Temporary)
	unlock()
	publish(t, b, p)
}

func TestWritePartFailsAsAWhole(t *testing.T) {
	t.Parallel()
	sourceGone := errors.New("the source is gone")
	for _, tc := range []struct {
		name string
		copy func(view string, w io.Writer) (int64, error)
		want func(error) bool
	}{
		{"the source fails in the second view", func(view string, w io.Writer) (int64, error) {
			if view == "comments" {
				return 0, sourceGone
			}
			_, err := io.WriteString(w, "1,a\n")
			return 1, err
		}, func(err error) bool { return errors.Is(err, sourceGone) && destination.KindOf(err) == "" }},
		{"the stream ends inside a row", func(_ string, w io.Writer) (int64, error) {
			_, err := io.WriteString(w, "1,a\n2,")
			return 1, err
		}, func(err error) bool { return destination.KindOf(err) == destination.Temporary }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := openAt(t, t.TempDir())
			p := makePart(1, 0, "", "")
			_, err := writeViews(context.Background(), b, p.in, []string{"tickets", "comments"},
				func(_ context.Context, view string, w io.Writer) (int64, error) { return tc.copy(view, w) })
			if !tc.want(err) {
				t.Fatal(err)
			}
			if names, err := namesWithPrefix(files(b).staging(), ""); err != nil || len(names) != 0 {
				t.Fatalf("the staging folder holds %v (%v)", names, err)
			}
		})
	}
}

func TestWritePartRefusesViewsWithoutAFile(t *testing.T) {
	t.Parallel()
	b := openAt(t, t.TempDir())
	_, err := writeViews(context.Background(), b, makePart(1, 0, "", "").in, []string{"customers"}, nil)
	wantKind(t, err, destination.Refused)
}

// A worker that was cut off, and comes back while its successor writes the
// same part or has written it, must not replace the successor's records.
func TestALateTryCannotReplaceItsSuccessor(t *testing.T) {
	t.Parallel()
	b := openAt(t, t.TempDir())
	p := makePart(1, 0, "", "")
	_, err := writeViews(context.Background(), b, p.in, []string{"tickets"}, func(_ context.Context, _ string, w io.Writer) (int64, error) {
		writeParts(t, b, makePart(1, 0, "1,successor\n", ""))
		_, err := io.WriteString(w, "1,late\n")
		return 1, err
	})
	wantKind(t, err, destination.Temporary)
	publish(t, b, p)
	if got := content(t, files(b).where())["data/tickets-0001.csv"]; got != "id,subject\n1,successor\n" {
		t.Fatal(got)
	}
}

// A worker that was stopped before it began its try is the last to begin one.
func TestATryThatBeginsAfterALaterHoldersWorkIsRefused(t *testing.T) {
	t.Parallel()
	b := openAt(t, t.TempDir())
	of := func(fence int64, rows string) part {
		p := makePart(1, 0, rows, "")
		p.in.Run, p.in.Fence = "run", fence
		return p
	}
	successor := of(2, "1,successor\n")
	writeParts(t, b, successor)
	_, err := of(1, "1,late\n").write(b)
	wantKind(t, err, destination.Refused)
	publish(t, b, successor)
	if got := content(t, files(b).where())["data/tickets-0001.csv"]; got != "id,subject\n1,successor\n" {
		t.Fatal(got)
	}
}

func TestInventoryListsTheIDsOfThePublishedBundle(t *testing.T) {
	t.Parallel()
	b := openAt(t, t.TempDir())
	list := func(e migration.Entity) (ids []string) {
		t.Helper()
		err := b.Inventory(context.Background(), e, func(i migration.Item) error {
			if i.Outcome != migration.AlreadyThere {
				t.Errorf("outcome %c", i.Outcome)
			}
			ids = append(ids, i.SourceID)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return ids
	}
	if ids := list(migration.Tickets); ids != nil {
		t.Fatalf("found %q before there was a bundle", ids)
	}
	p := makePart(1, 0, "1,\"two\nlines, and \"\"quotes\"\"\"\n\"a\r\nb\",x\n", "")
	writeParts(t, b, p)
	if ids := list(migration.Tickets); ids != nil {
		t.Fatalf("found %q before publishing", ids)
	}
	publish(t, b, p)
	if ids := list(migration.Tickets); fmt.Sprintf("%q", ids) != `["1" "a\r\nb"]` {
		t.Fatalf("found %q", ids)
	}
	if ids := list(migration.Users); ids != nil {
		t.Fatalf("found %q among users", ids)
	}
	enough := errors.New("enough")
	if err := b.Inventory(context.Background(), migration.Tickets, func(migration.Item) error { return enough }); !errors.Is(err, enough) {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(files(b).where(), "data", "tickets-0001.csv"), []byte("id,subject\n1,\"cut"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := b.Inventory(context.Background(), migration.Tickets, func(migration.Item) error { return nil }); err == nil {
		t.Fatal("a damaged file was read without an error")
	}
}
