package csvbundle

import (
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// written remembers the files that this process has brought to the disk, so
// that publishing need not read them again: a moment later that would compare
// the memory in which the disk's bytes are kept with itself. It holds until the
// bundle is published. What an earlier process wrote is read, and so is a file
// whose size or time is another one: somebody else has written to it.
type written struct {
	mu    sync.Mutex
	files map[string]map[string]fs.FileInfo // folder → name → as it was left
}

func (w *written) remember(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	folder, name := filepath.Split(path)
	if w.files == nil {
		w.files = map[string]map[string]fs.FileInfo{}
	}
	if w.files[folder] == nil {
		w.files[folder] = map[string]fs.FileInfo{}
	}
	w.files[folder][name] = info
	return nil
}

// untouched tells whether the file is as this process has left it.
func (w *written) untouched(path string) bool {
	folder, name := filepath.Split(path)
	w.mu.Lock()
	was := w.files[folder][name]
	w.mu.Unlock()
	if was == nil {
		return false
	}
	is, err := os.Stat(path)
	return err == nil && os.SameFile(was, is) && was.Size() == is.Size() && was.ModTime().Equal(is.ModTime())
}

func (w *written) forget(folder string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.files, folder+string(filepath.Separator))
}

// rowsSink is a try's file.
type rowsSink struct {
	sink
	written *written
	path    string
}

func (s rowsSink) finish() error {
	if err := s.sink.finish(); err != nil {
		return err
	}
	return s.written.remember(s.path)
}
