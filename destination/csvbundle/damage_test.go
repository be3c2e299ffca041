package csvbundle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// wholeBundle publishes tickets, tags, comments, people and attachments, in two
// parts.
func wholeBundle(t *testing.T, query string) *Bundle {
	t.Helper()
	b := openAt(t, "file://"+t.TempDir()+query)
	in := makePart(1, 0, "", "")
	views := map[string]string{
		"tickets":     "1,=first\n2,second\n",
		"ticket_tags": "1,1,urgent\n",
		"comments":    "11,1,\"a\nb\"\n12,1,\n21,2,\"\"\n",
		"attachments": "5,1,11\n6,1,11\n7,2,21\n",
	}
	in.in.Files = newDepot(map[string]string{"5": "five", "6": "six", "7": "!file_cut_short"}).files()
	people := makePart(2, 0, "", "")
	people.in.Partition.ID, people.in.Partition.Entity = "users-0001", "users"
	for _, p := range []struct {
		part  part
		views []string
		rows  map[string]string
	}{
		{in, []string{"tickets", "ticket_tags", "comments", "attachments"}, views},
		{people, []string{"users"}, map[string]string{"users": "u1,,Ann\nu2,,\"Bob, B\"\n"}},
	} {
		if _, err := writeTexts(t.Context(), b, p.part.in, p.views, p.rows); err != nil {
			t.Fatal(err)
		}
	}
	publish(t, b, people, in)
	return b
}

// damage is one way in which a bundle comes to harm on its way to the customer,
// and what the check must say.
type damage struct {
	name string
	do   func(t *testing.T, bag string)
	want string
}

func edit(name string, change func(string) string) func(*testing.T, string) {
	return func(t *testing.T, bag string) {
		t.Helper()
		path := filepath.Join(bag, filepath.FromSlash(name))
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		after := change(string(before))
		if after == string(before) {
			t.Fatalf("%s was not changed", name)
		}
		if err := os.WriteFile(path, []byte(after), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func replacing(old, new string) func(string) string {
	return func(s string) string { return strings.Replace(s, old, new, 1) }
}

func removing(name string) func(*testing.T, string) {
	return func(t *testing.T, bag string) {
		t.Helper()
		if err := os.Remove(filepath.Join(bag, filepath.FromSlash(name))); err != nil {
			t.Fatal(err)
		}
	}
}

// resealed damages a file and makes every hash and size that is not the data
// package's right again, as somebody would who knows what a bag is.
func resealed(do func(*testing.T, string)) func(*testing.T, string) {
	return func(t *testing.T, bag string) {
		t.Helper()
		do(t, bag)
		reseal(t, bag)
	}
}

// repackaged also makes the data package's hashes, sizes and row counts right.
func repackaged(do func(*testing.T, string)) func(*testing.T, string) {
	return func(t *testing.T, bag string) {
		t.Helper()
		do(t, bag)
		path := filepath.Join(bag, filepath.FromSlash(packageName))
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var p packageFile
		if err := json.Unmarshal(text, &p); err != nil {
			t.Fatal(err)
		}
		for i := range p.Resources {
			r := &p.Resources[i]
			r.RowCount = 0
			for j := range r.Files {
				f := &r.Files[j]
				content, err := os.ReadFile(filepath.Join(bag, "data", f.Path))
				if err != nil {
					t.Fatal(err)
				}
				f.Bytes, f.Hash = int64(len(content)), "sha256:"+digestOf(string(content)).SHA256
				f.RowCount = countRecords(string(content)) - 1
				r.RowCount += f.RowCount
			}
		}
		again, err := indented(p)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(again), 0o600); err != nil {
			t.Fatal(err)
		}
		reseal(t, bag)
	}
}

func reseal(t *testing.T, bag string) {
	t.Helper()
	w := newBagWriter(nil)
	for name, text := range content(t, bag) {
		if name != manifestName && name != tagManifestName && name != infoName {
			w.files[name] = digestOf(text)
		}
	}
	r, err := readRecord(os.DirFS(bag))
	if err != nil {
		t.Fatal(err)
	}
	info, err := w.info(r)
	if err != nil {
		t.Fatal(err)
	}
	w.files[infoName] = digestOf(info)
	manifest := w.manifest(isPayload)
	w.files[manifestName] = digestOf(manifest)
	tags := w.manifest(func(name string) bool { return !isPayload(name) })
	for name, text := range map[string]string{infoName: info, manifestName: manifest, tagManifestName: tags} {
		if err := os.WriteFile(filepath.Join(bag, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func adding(name string) func(*testing.T, string) {
	return func(t *testing.T, bag string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(bag, filepath.FromSlash(name)), []byte("more"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func swapping(one, other string) func(*testing.T, string) {
	return func(t *testing.T, bag string) {
		t.Helper()
		one, other := filepath.Join(bag, filepath.FromSlash(one)), filepath.Join(bag, filepath.FromSlash(other))
		for _, move := range [][2]string{{one, one + ".tmp"}, {other, one}, {one + ".tmp", other}} {
			if err := os.Rename(move[0], move[1]); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func damages() []damage {
	const tickets, comments = "data/tickets-0001.csv", "data/comments-0001.csv"
	const five, fileRows = "data/attachments/1/5_file-5.txt", "data/attachment_files.csv"
	return []damage{
		{"a byte flipped", edit(tickets, replacing("second", "sEcond")), "data/tickets-0001.csv: its content is not what was published: the SHA-256 differs from manifest-sha256.txt"},
		{"a row dropped", resealed(edit(tickets, replacing("2,second\n", ""))), "data/tickets-0001.csv: it has 1 rows, data/datapackage.json says 2"},
		{"a row doubled", repackaged(edit(tickets, replacing("2,second\n", "2,second\n2,second\n"))), `data/tickets-0001.csv, row 3: its key "2" is there a second time`},
		{"a file missing", removing(comments), "data/comments-0001.csv: missing: manifest-sha256.txt lists it"},
		{"an extra file", func(t *testing.T, bag string) {
			if err := os.WriteFile(filepath.Join(bag, "data", "more.csv"), []byte("id\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "data/more.csv: extra: manifest-sha256.txt does not list it"},
		{"an extra file that the manifest lists", resealed(func(t *testing.T, bag string) {
			if err := os.WriteFile(filepath.Join(bag, "data", "more.csv"), []byte("id\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}), "data/more.csv: extra: data/datapackage.json does not describe it"},
		{"a key that is wrong", repackaged(edit(comments, replacing("21,2,", "21,3,"))), `data/comments-0001.csv, row 3: ticket_id names tickets "3", which is not in the bundle`},
		{"a key that is empty", repackaged(edit(tickets, replacing("2,second", ",second"))), "data/tickets-0001.csv, row 2: its key id is empty"},
		{"two files swapped", swapping(tickets, comments), "data/comments-0001.csv: its content is not what was published: the SHA-256 differs from manifest-sha256.txt"},
		{"an edited manifest", edit(manifestName, func(s string) string { return s[1:] + "0" }), "manifest-sha256.txt: missing or unreadable: the bundle is incomplete"},
		{"a manifest that fits an edited file", func(t *testing.T, bag string) {
			edit(tickets, replacing("second", "sEcond"))(t, bag)
			text, err := os.ReadFile(filepath.Join(bag, filepath.FromSlash(tickets)))
			if err != nil {
				t.Fatal(err)
			}
			edit(manifestName, func(s string) string {
				var b strings.Builder
				for line := range strings.Lines(s) {
					if strings.HasSuffix(line, tickets+"\n") {
						line = manifestLine(tickets, digestOf(string(text)))
					}
					b.WriteString(line)
				}
				return b.String()
			})(t, bag)
		}, "manifest-sha256.txt: its content is not what was published: the SHA-256 differs from tagmanifest-sha256.txt"},
		{"no manifest", removing(manifestName), "manifest-sha256.txt: missing or unreadable: the bundle is incomplete, it was never finished"},
		{"no bagit.txt", removing(declarationName), "bagit.txt: missing: this is no bundle, or not all of one"},
		{"a file cut short", edit(comments, func(s string) string { return s[:len(s)-3] }), "data/comments-0001.csv, row 3: it cannot be read: "},
		{"another column", repackaged(edit(tickets, replacing("id,subject", "id,title"))), "data/tickets-0001.csv: its header row is not the columns that data/datapackage.json says"},
		{"a cell too many", repackaged(edit(tickets, replacing("2,second", "2,second,third"))), "data/tickets-0001.csv, row 2: it has 3 cells, the header has 2"},
		{"a number that is none", repackaged(edit("data/ticket_tags.csv", replacing("1,1,", "1,one,"))), "data/ticket_tags.csv, row 1: the cell in column position is not of type integer"},
		{"a guard taken away", repackaged(edit(tickets, replacing("'=first", "=first"))), "data/tickets-0001.csv, row 1: the cell in column subject is not of type string"},
		{"a byte flipped in an attachment", edit(five, replacing("five", "fIve")), five + ": its content is not what was published: the SHA-256 differs from manifest-sha256.txt"},
		{"a byte flipped in an attachment, and the manifest fits", resealed(edit(five, replacing("five", "fIve"))), five + ": its size or SHA-256 is not what row 1 of attachment_files.csv says"},
		{"an attachment missing", removing(five), five + ": missing: manifest-sha256.txt lists it"},
		{"an attachment missing, and the manifest fits", resealed(removing(five)), five + ": missing: row 1 of attachment_files.csv names it"},
		{"an extra attachment", adding("data/attachments/1/9_more.txt"), "data/attachments/1/9_more.txt: extra: manifest-sha256.txt does not list it"},
		{"an extra attachment that the manifest lists", resealed(adding("data/attachments/1/9_more.txt")), "data/attachments/1/9_more.txt: extra: no row of attachment_files names it"},
		{"two attachments swapped", resealed(swapping(five, "data/attachments/1/6_file-6.txt")), five + ": its size or SHA-256 is not what row 1 of attachment_files.csv says"},
		{"a row that says that a file is not there", repackaged(edit(fileRows, replacing(",created,,", ",failed,,"))), fileRows + `, row 1: its status is "failed", and it names a file`},
		{"two rows with one file", repackaged(edit(fileRows, replacing("6_file-6.txt", "5_file-5.txt"))), fileRows + ", row 2: it names " + five + ", as another row does"},
		{"a row that leads elsewhere", repackaged(edit(fileRows, replacing(five, "data/users.csv"))), fileRows + ", row 1: its path is not below data/attachments/"},
		{"a row of no attachment", repackaged(edit(fileRows, replacing("5,1,data", "50,1,data"))), fileRows + `, row 1: attachment_id names attachments "50", which is not in the bundle`},
		{"a wrong sum", edit(infoName, replacing("Payload-Oxum: ", "Payload-Oxum: 1")), "bag-info.txt: Payload-Oxum says 1"},
	}
}

func TestVerifyRefusesADamagedBundle(t *testing.T) {
	t.Parallel()
	for _, d := range damages() {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			b := wholeBundle(t, "")
			wantValid(t, files(b).where())
			d.do(t, files(b).where())
			wantProblem(t, files(b).where(), d.want)
		})
	}
}

func wantProblem(t *testing.T, path, want string) {
	t.Helper()
	found, err := Verify(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range found.Problems {
		if strings.HasPrefix(p.String(), want) {
			return
		}
	}
	t.Errorf("nothing begins with\n%s\nin\n%v", want, found.Problems)
}

func TestVerifyRefusesADamagedZipFile(t *testing.T) {
	t.Parallel()
	for _, d := range []struct {
		name   string
		damage func([]byte) []byte
		want   string
	}{
		{"cut short", func(z []byte) []byte { return z[:len(z)-100] }, "the zip file is cut short or damaged"},
		{"cut in half", func(z []byte) []byte { return z[:len(z)/2] }, "the zip file is cut short or damaged"},
		{"a byte flipped", func(z []byte) []byte {
			i := bytes.Index(z, []byte("acme/data/comments-0001.csv"))
			z[i+len("acme/data/comments-0001.csv")+8] ^= 0x20
			return z
		}, "data/comments-0001.csv: it cannot be read to its end"},
		{"empty", func([]byte) []byte { return nil }, "the zip file is cut short or damaged"},
	} {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			path := files(wholeBundle(t, "?format=zip")).where()
			wantValid(t, path)
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, d.damage(text), 0o600); err != nil {
				t.Fatal(err)
			}
			wantProblem(t, path, d.want)
		})
	}
}

func TestVerifyRefusesADamagedGzipFile(t *testing.T) {
	t.Parallel()
	path := files(wholeBundle(t, "?compress=gzip")).where()
	wantValid(t, path)
	edit("data/comments-0001.csv.gz", func(s string) string { return s[:len(s)-4] })(t, path)
	wantProblem(t, path, "data/comments-0001.csv.gz, row 4: it cannot be read: unexpected EOF")
}

// bagValidator is RFC 8493, sections 2 and 3, in a few lines that know nothing
// of ours.
const bagValidator = `
import hashlib, os, sys
os.chdir(sys.argv[1])
assert open("bagit.txt", encoding="utf-8").read().split() == ["BagIt-Version:", "1.0", "Tag-File-Character-Encoding:", "UTF-8"]
def manifest(name):
    sums = {}
    for line in open(name, encoding="utf-8"):
        sum, path = line.rstrip("\n").split(None, 1)
        assert path not in sums
        sums[path] = sum
    return sums
payload, tags = manifest("manifest-sha256.txt"), manifest("tagmanifest-sha256.txt")
there = {os.path.relpath(os.path.join(d, f), ".") for d, _, files in os.walk(".") for f in files}
assert {p for p in there if p.startswith("data" + os.sep)} == set(payload), "payload and manifest differ"
assert set(tags) == {p for p in there if not p.startswith("data" + os.sep)} - {"tagmanifest-sha256.txt"}
for path, digest in list(payload.items()) + list(tags.items()):
    assert hashlib.sha256(open(path, "rb").read()).hexdigest() == digest, path
info = dict(line.rstrip("\n").split(": ", 1) for line in open("bag-info.txt", encoding="utf-8"))
octets = sum(os.path.getsize(p) for p in payload)
assert info["Payload-Oxum"] == "%d.%d" % (octets, len(payload)), info
`

func TestAnotherBagValidatorAcceptsTheBag(t *testing.T) {
	t.Parallel()
	for form, query := range map[string]string{
		"plain": "", "raw": "?raw=true", "excel": "?excel=true", "gzip": "?compress=gzip", "zip": "?format=zip",
	} {
		t.Run(form, func(t *testing.T) {
			t.Parallel()
			b := wholeBundle(t, query)
			bag := files(b).where()
			if b.form.Zip {
				dir := t.TempDir()
				command(t, "python3", "-m", "zipfile", "-e", bag, dir)
				bag = filepath.Join(dir, b.account)
			}
			validate := func() error {
				out, err := exec.Command("python3", "-c", bagValidator, bag).CombinedOutput()
				if err != nil {
					return fmt.Errorf("%w\n%s", err, out)
				}
				return nil
			}
			if err := validate(); err != nil {
				t.Error(err)
			}
			edit("data/errors.csv", replacing("reason", "season"))(t, bag)
			if validate() == nil {
				t.Error("it accepts a damaged bag too, so it proves nothing")
			}
		})
	}
}
