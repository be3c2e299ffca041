package csvbundle

import (
	"archive/zip"
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// zipBag is a bundle in a zip file, in a folder of its own.
type zipBag struct {
	fs.FS
	io.Closer
}

func openZip(path string) (bag, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	opened, err := openZipAt(file, info.Size())
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return zipBag{opened, file}, nil
}

// openZipAt opens a zip file whose reader somebody else closes.
func openZipAt(from io.ReaderAt, size int64) (bag, error) {
	r, err := zip.NewReader(from, size)
	if err != nil {
		return nil, err
	}
	root, err := zipRoot(r)
	return folderBag{root}, err
}

var errManyRoots = errors.New("the zip file does not hold one folder with everything in it")

// zipRoot is the only folder at the top of the zip file.
func zipRoot(r *zip.Reader) (fs.FS, error) {
	var tops []string
	for _, f := range r.File {
		top, _, below := strings.Cut(f.Name, "/")
		if !below {
			return nil, errManyRoots
		}
		if !slices.Contains(tops, top) {
			tops = append(tops, top)
		}
	}
	if len(tops) != 1 {
		return nil, errManyRoots
	}
	return fs.Sub(r, tops[0])
}

// fillZip writes a bundle as a zip file. What it holds depends on the bundle
// only: no entry has a time.
func fillZip(file io.Writer, account string, write func(shelf) error) error {
	buffer := bufio.NewWriterSize(file, bufferSize)
	z := zip.NewWriter(buffer)
	registerFast(z)
	if err := write(zipShelf{z, account}); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	return buffer.Flush()
}

// zipShelf writes a bundle's files one after the other.
type zipShelf struct {
	zip     *zip.Writer
	account string
}

func (s zipShelf) parallel() bool { return false }

func (s zipShelf) adopt(string, string, string) (bool, error) { return false, nil }

func (s zipShelf) create(name string) (sink, error) {
	method := zip.Deflate
	if isAttachment(name) {
		method = zip.Store // most are compressed already
	}
	w, err := s.zip.CreateHeader(&zip.FileHeader{Name: s.account + "/" + name, Method: method})
	return zipSink{w}, err
}

// zipSink needs no end: the next entry, or the end of the zip file, is its end.
type zipSink struct{ io.Writer }

func (zipSink) finish() error { return nil }
func (zipSink) abandon()      {}
