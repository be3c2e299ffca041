package csvbundle

import (
	"archive/zip"
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"farewell/destination"
	"farewell/migration"
)

// depot is where the files of attachments are, for tests.
type depot struct {
	mu      sync.Mutex
	content map[string]string // attachment → bytes; after a "!": the code with which it breaks off
	opened  map[string]int
	decided []migration.FileFate
	broken  error // of every Open
}

func newDepot(content map[string]string) *depot {
	return &depot{content: content, opened: map[string]int{}}
}

func (d *depot) files() *destination.PartFiles {
	return &destination.PartFiles{
		List: func(_ context.Context, ticketIDs []string) (map[string][]migration.Attachment, error) {
			found := map[string][]migration.Attachment{}
			for _, ticket := range ticketIDs {
				for _, id := range slices.Sorted(maps.Keys(d.content)) {
					found[ticket] = append(found[ticket], migration.Attachment{ID: id, TicketID: ticket, FileName: "file " + id + ".txt", URL: "https://files.example.com/" + id})
				}
			}
			return found, nil
		},
		Open: d.open,
		Decided: func(f migration.FileFate) error {
			d.decided = append(d.decided, f)
			return nil
		},
	}
}

func (d *depot) open(_ context.Context, a migration.Attachment) (destination.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.opened[a.ID]++
	if d.broken != nil {
		return destination.File{}, d.broken
	}
	code, cut := strings.CutPrefix(d.content[a.ID], "!")
	if !cut {
		return destination.File{ReadCloser: io.NopCloser(strings.NewReader(d.content[a.ID])), Size: int64(len(d.content[a.ID]))}, nil
	}
	return destination.File{ReadCloser: io.NopCloser(io.MultiReader(strings.NewReader("half of it"), failing{&destination.FileError{Code: code, Text: "for the test"}})), Size: -1}, nil
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// partWithFiles is a part of two tickets, whose attachments have these files.
func partWithFiles(d *depot, attachments string) (destination.PartsInput, map[string]string) {
	in := makePart(1, 0, "", "").in
	in.Files = d.files()
	return in, map[string]string{"tickets": "1,=first\n2,second\n", "ticket_tags": "1,1,urgent\n", "comments": "11,1,\"a\nb\"\n12,1,\n21,2,\"\"\n", "attachments": attachments}
}

var ticketViews = []string{"tickets", "ticket_tags", "comments", "attachments"}

func writeFiles(t testing.TB, b *Bundle, d *depot, attachments string) destination.Part {
	t.Helper()
	in, texts := partWithFiles(d, attachments)
	stored, err := writeTexts(context.Background(), b, in, ticketViews, texts)
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

func TestFilesOfAttachmentsAreInTheBundle(t *testing.T) {
	t.Parallel()
	for form, query := range map[string]string{"plain": "", "raw": "?raw=true", "excel": "?excel=true", "gzip": "?compress=gzip", "zip": "?format=zip"} {
		t.Run(form, func(t *testing.T) {
			t.Parallel()
			d := newDepot(map[string]string{"5": "five", "=6": "", "7": "!file_cut_short", "9": "of no row"})
			b := openAt(t, "file://"+t.TempDir()+query)
			stored := writeFiles(t, b, d, "5,1,11\n=6,1,11\n7,2,21\n8,2,21\n")
			want := []migration.FileFate{
				{ID: "5", TicketID: "1"}, {ID: "=6", TicketID: "1"},
				{ID: "7", TicketID: "2", Code: migration.FileCutShort, Text: "for the test"},
				{ID: "8", TicketID: "2", Code: migration.FileNotFound, Text: "the source does not have it any more"},
			}
			if !slices.Equal(stored.Files, want) || len(d.decided) != len(want) {
				t.Fatalf("files %+v, want %+v", stored.Files, want)
			}
			publish(t, b, makePart(1, 0, "", ""))
			bag := bagOf(t, b)
			guard := map[bool]string{true: "", false: "'"}[b.form.Raw]
			six := attachmentPath(migration.Attachment{ID: "=6", TicketID: "1", FileName: "file =6.txt"})
			rows := "5,1,data/attachments/1/5_file-5.txt,4," + digestOf("five").SHA256 + ",created,,\n" +
				guard + "=6,1," + six + ",0," + digestOf("").SHA256 + ",created,,\n" +
				"7,2,,,,failed,file_cut_short,for the test\n8,2,,,,failed,file_not_found,the source does not have it any more\n"
			if !b.form.Gzip && !strings.HasSuffix(bag["data/attachment_files.csv"], "attachment_id,ticket_id,path,bytes,sha256,status,reason_code,reason\n"+rows) {
				t.Errorf("attachment_files.csv is %s", bag["data/attachment_files.csv"])
			}
			if want := "attachments,7,export,file_cut_short,for the test,\nattachments,8,"; !strings.Contains(bag["data/errors.csv"], want) {
				t.Errorf("errors.csv is %s", bag["data/errors.csv"])
			}
			var found []string
			for name, text := range bag {
				if isAttachment(name) {
					found = append(found, name+" "+text)
				}
			}
			slices.Sort(found)
			if want := []string{"data/attachments/1/5_file-5.txt five", six + " "}; !slices.Equal(found, want) {
				t.Errorf("the bundle has %q, want %q", found, want)
			}
			wantValid(t, files(b).where())
		})
	}
}

// bagOf is every file of a published bundle, also of one in a zip file,
// in which attachments are not packed.
func bagOf(t *testing.T, b *Bundle) map[string]string {
	t.Helper()
	if !b.form.Zip {
		return content(t, files(b).where())
	}
	r, err := zip.OpenReader(files(b).where())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	found := map[string]string{}
	for _, f := range r.File {
		name := strings.TrimPrefix(f.Name, b.account+"/")
		if stored := f.Method == zip.Store; stored != isAttachment(name) {
			t.Errorf("%s is packed with method %d", name, f.Method)
		}
		from, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(from)
		if err != nil {
			t.Fatal(err)
		}
		found[name] = string(text)
	}
	return found
}

func TestABundleWithoutFilesIsAsBefore(t *testing.T) {
	t.Parallel()
	d := newDepot(nil)
	for name, attachments := range map[string]string{"no attachments": "", "no place of files": "5,1,11\n"} {
		b := openAt(t, t.TempDir())
		in, texts := partWithFiles(d, attachments)
		if attachments != "" {
			in.Files = nil
		}
		stored, err := writeTexts(t.Context(), b, in, ticketViews, texts)
		if err != nil || stored.Files != nil {
			t.Fatalf("%s: %+v, %v", name, stored, err)
		}
		publish(t, b, makePart(1, 0, "", ""))
		for file := range content(t, files(b).where()) {
			if strings.Contains(file, "attachment_files") || isAttachment(file) {
				t.Errorf("%s: there is %s", name, file)
			}
		}
		wantValid(t, files(b).where())
	}
}

func TestAnAttachmentAtTwoCommentsIsOneFile(t *testing.T) {
	t.Parallel()
	d := newDepot(map[string]string{"5": "five"})
	stored := writeFiles(t, openAt(t, t.TempDir()), d, "5,1,11\n5,1,12\n")
	if want := []migration.FileFate{{ID: "5", TicketID: "1"}}; !slices.Equal(stored.Files, want) || d.opened["5"] != 1 {
		t.Errorf("files %+v, fetched %v", stored.Files, d.opened)
	}
}

func TestFilesThatWereFetchedAreNotFetchedAgain(t *testing.T) {
	t.Parallel()
	const attachments = "5,1,11\n6,1,11\n7,2,21\n"
	undisturbed := openAt(t, t.TempDir())
	writeFiles(t, undisturbed, newDepot(map[string]string{"5": "five", "6": "six", "7": "seven"}), attachments)
	publish(t, undisturbed, makePart(1, 0, "", ""))

	b := openAt(t, t.TempDir())
	d := newDepot(map[string]string{"5": "five", "6": "six", "7": "seven"})
	gone := errors.New("the worker is leaving")
	in, texts := partWithFiles(d, attachments)
	in.Files.Open = func(ctx context.Context, a migration.Attachment) (destination.File, error) {
		if a.ID == "7" {
			return destination.File{}, gone
		}
		return d.open(ctx, a)
	}
	var first sync.WaitGroup // both others are there before the third fails
	first.Add(2)
	open := in.Files.Open
	in.Files.Open = func(ctx context.Context, a migration.Attachment) (destination.File, error) {
		if a.ID == "7" {
			first.Wait()
		}
		return open(ctx, a)
	}
	in.Files.Decided = func(migration.FileFate) error { first.Done(); return nil }
	if _, err := writeTexts(t.Context(), b, in, ticketViews, texts); !errors.Is(err, gone) {
		t.Fatal(err)
	}
	writeFiles(t, b, d, attachments)
	if want := map[string]int{"5": 1, "6": 1, "7": 1}; !maps.Equal(d.opened, want) {
		t.Errorf("fetched %v, want %v", d.opened, want)
	}
	publish(t, b, makePart(1, 0, "", ""))
	if !maps.Equal(content(t, files(b).where()), content(t, files(undisturbed).where())) {
		t.Error("the bundle is not that of an undisturbed run")
	}
}

func TestAFileThatChangedSinceItWasFetchedIsFetchedAgain(t *testing.T) {
	t.Parallel()
	b := openAt(t, t.TempDir())
	d := newDepot(map[string]string{"5": "old"})
	writeFiles(t, b, d, "5,1,11\n")
	d.content["5"] = "new bytes"
	in, texts := partWithFiles(d, "5,1,11\n")
	list := in.Files.List
	in.Files.List = func(ctx context.Context, ids []string) (map[string][]migration.Attachment, error) {
		found, err := list(ctx, ids)
		for _, of := range found {
			of[0].SHA256 = strings.ToUpper(digestOf("new bytes").SHA256)
		}
		return found, err
	}
	if _, err := writeTexts(t.Context(), b, in, ticketViews, texts); err != nil {
		t.Fatal(err)
	}
	publish(t, b, makePart(1, 0, "", ""))
	if got := content(t, files(b).where())["data/attachments/1/5_file-5.txt"]; got != "new bytes" {
		t.Errorf("the bundle has %q", got)
	}
	names, err := b.vault.keptNames(t.Context(), "tickets-0001.0")
	if err != nil || len(names) != 1 {
		t.Errorf("kept are %v (%v), want one file", names, err)
	}
	wantValid(t, files(b).where())
}

func TestAPlaceThatDoesNotAnswerLosesNoFile(t *testing.T) {
	t.Parallel()
	b := openAt(t, t.TempDir())
	d := newDepot(map[string]string{"5": "five"})
	d.broken = &destination.FileError{Code: migration.FileUnavailable, Text: "no answer", Passing: true}
	in, texts := partWithFiles(d, "5,1,11\n")
	_, err := writeTexts(t.Context(), b, in, ticketViews, texts)
	var failure *destination.Error
	if !errors.As(err, &failure) || failure.Kind != destination.Temporary || failure.Code != destination.FilesUnreachable {
		t.Fatalf("%v", err)
	}
	d.broken = nil
	if stored := writeFiles(t, b, d, "5,1,11\n"); stored.Files[0].Code != "" {
		t.Errorf("%+v", stored.Files)
	}
}

func TestACatchUpBringsItsFiles(t *testing.T) {
	t.Parallel()
	b := openAt(t, t.TempDir())
	d := newDepot(map[string]string{"5": "five", "30": "thirty"})
	writeFiles(t, b, d, "5,1,11\n")
	publish(t, b, makePart(1, 0, "", ""))
	late := makePart(1, 7, "", "").in
	late.Files = d.files()
	if _, err := writeTexts(t.Context(), b, late, ticketViews, map[string]string{"tickets": "3,late\n", "comments": "31,3,x\n", "attachments": "30,3,31\n"}); err != nil {
		t.Fatal(err)
	}
	publish(t, b, makePart(1, 0, "", ""), makePart(1, 7, "", ""))
	bag := content(t, files(b).where())
	if bag["data/attachments/1/5_file-5.txt"] != "five" || bag["data/attachments/3/30_file-30.txt"] != "thirty" || d.opened["5"] != 1 {
		t.Errorf("%d files, fetched %v", len(bag), d.opened)
	}
	wantValid(t, files(b).where())
}

func TestPublishRefusesALostOrDamagedFile(t *testing.T) {
	t.Parallel()
	for name, query := range map[string]string{"folder": "", "zip": "?format=zip"} {
		b := openAt(t, "file://"+t.TempDir()+query)
		writeFiles(t, b, newDepot(map[string]string{"5": "five"}), "5,1,11\n")
		names, err := b.vault.keptNames(t.Context(), "tickets-0001.0")
		if err != nil || len(names) != 1 {
			t.Fatal(names, err)
		}
		path := filepath.Join(files(b).staging(), keptFolder("tickets-0001.0"), names[0])
		if b.form.Zip {
			if err := os.WriteFile(path, []byte("FIVE"), 0o600); err != nil {
				t.Fatal(err)
			}
		} else if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		_, err = b.Publish(t.Context(), publishInput(makePart(1, 0, "", "")))
		wantKind(t, err, destination.Refused)
		if found := content(t, files(b).where()); found != nil {
			t.Errorf("%s: there is a bundle", name)
		}
	}
}

// zeros is a large file.
type zeros struct{ left int64 }

func (z *zeros) Read(p []byte) (int, error) {
	n := int(min(int64(len(p)), z.left))
	if z.left -= int64(n); n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// Not parallel: it measures what the whole process allocates.
func TestMemoryDoesNotGrowWithTheFiles(t *testing.T) {
	const most = 16 << 20
	b := openAt(t, t.TempDir())
	d := newDepot(map[string]string{"5": "", "6": "", "7": ""})
	in, texts := partWithFiles(d, "5,1,11\n6,1,11\n7,2,21\n")
	in.Files.Open = func(context.Context, migration.Attachment) (destination.File, error) {
		return destination.File{ReadCloser: io.NopCloser(&zeros{20 << 20}), Size: 20 << 20}, nil
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := writeTexts(context.Background(), b, in, ticketViews, texts); err != nil {
		t.Fatal(err)
	}
	publish(t, b, makePart(1, 0, "", ""))
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > most {
		t.Fatalf("%d bytes were allocated for 60 MB of files, want at most %d", used, most)
	}
}
