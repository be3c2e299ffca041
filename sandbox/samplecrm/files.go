package samplecrm

import (
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Files says where the sample keeps the files at its messages: in turn in the
// database, on a file server and in a folder that stands for an object store,
// as far as these are named. The zero value: its messages have no files.
type Files struct {
	Server string // address under which FileServer is reached, without a slash at its end
	Folder string // is made where it is missing; the files' keys are paths below it
}

func (f Files) none() bool { return f == Files{} }

// leastFile and mostFile bound a file's size in bytes: small, since there are
// hundreds of them.
const (
	leastFile = 1
	mostFile  = 8_000
)

// FileContent is what the file of that number holds. It follows from the number
// alone.
func FileContent(no int64) []byte {
	r := rand.New(rand.NewPCG(uint64(no), 0xf11e))
	content := make([]byte, leastFile+r.IntN(mostFile-leastFile+1))
	for i := range content {
		content[i] = byte(r.Uint32())
	}
	return content
}

// FileServer serves the sample's files at /<number in base 36>, as the CRM's
// own file server would.
func FileServer() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		no, err := strconv.ParseInt(r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:], 36, 64)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(FileContent(no)) // the client has gone
	})
}

// file is a row of crm.files. What it draws is drawn also when there are no
// files, so that the other rows are the same.
func (t *tenant) file(b *batch, conversation, message, at int64) {
	no := t.number(int(t.fileNo))
	t.fileNo++
	names := []string{"invoice.pdf", "IMG_2041.jpeg", "Größe & Maße.xlsx", "截图 1.png", `a\\b "quoted".txt`, "no extension"}
	types := []string{"application/pdf", "image/jpeg", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "image/png", "text/plain", ""}
	i := t.rng.IntN(len(names))
	_ = t.rng.Int64N(5_000_000)
	if t.files.none() {
		return
	}
	content := FileContent(no)
	key := t.ID + "/" + strconv.FormatInt(no, 36)
	r := b.files
	r.int(no)
	r.text(t.ID)
	r.int(conversation)
	r.int(message)
	r.text(names[i])
	r.orNull(types[i])
	r.int(int64(len(content)))
	t.place(b, key, content)
	r.time(at)
	r.end()
}

// place puts the content where this file's turn says, and the columns that say
// where.
func (t *tenant) place(b *batch, key string, content []byte) {
	var address, object, checksum, bytes string
	sum := sha256.Sum256(content)
	switch turn := t.fileNo % 3; {
	case turn == 1 && t.files.Server != "":
		address, checksum = t.files.Server+"/"+key, hex.EncodeToString(sum[:])
	case turn == 2 && t.files.Folder != "":
		object, checksum = key, hex.EncodeToString(sum[:])
		b.objects[filepath.Join(t.files.Folder, filepath.FromSlash(key))] = content
	default:
		bytes = `\\x` + hex.EncodeToString(content)
	}
	for _, column := range []string{address, object, checksum, bytes} {
		b.files.orNull(column)
	}
}

// writeObjects writes the files that lie in the folder.
func (b *batch) writeObjects() error {
	for path, content := range b.objects {
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			return err
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return err
		}
	}
	clear(b.objects)
	return nil
}
