package csvbundle

import (
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"testing"
)

// notingDisk knows what a power cut would lose: the content of files that were
// not synced, and names in folders that were not.
type notingDisk struct {
	disk
	decides func(to string) bool // a rename after which everything before it is relied on

	mu      sync.Mutex
	pending map[string]bool // files and folders
	decided int
	early   []string // what was pending when a rename decided
}

func (d *notingDisk) note(paths ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, path := range paths {
		d.pending[path] = true
	}
}

func (d *notingDisk) forget(path string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.pending, path)
}

func (d *notingDisk) Mkdir(path string) error {
	d.note(filepath.Dir(path))
	return d.disk.Mkdir(path)
}

func (d *notingDisk) Create(path string) (file, error) {
	d.note(path, filepath.Dir(path))
	f, err := d.disk.Create(path)
	return &notingFile{f, d, path}, err
}

func (d *notingDisk) Link(from, to string) error {
	d.note(filepath.Dir(to))
	return d.disk.Link(from, to)
}

// Rename decides at the moment when the folder of the new name is on the disk:
// with it are all the other names in that folder.
func (d *notingDisk) Rename(from, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.decides(to) {
		d.decided++
		for path := range d.pending {
			if path != filepath.Dir(to) {
				d.early = append(d.early, path)
			}
		}
	}
	if d.pending[from] {
		delete(d.pending, from)
		d.pending[to] = true
	}
	d.pending[filepath.Dir(to)] = true
	return d.disk.Rename(from, to)
}

func (d *notingDisk) Remove(path string) error {
	d.forget(path)
	return d.disk.Remove(path)
}

func (d *notingDisk) SyncFolder(path string) error {
	d.forget(path)
	return d.disk.SyncFolder(path)
}

type notingFile struct {
	file
	disk *notingDisk
	path string
}

func (f *notingFile) Write(p []byte) (int, error) {
	f.disk.note(f.path)
	return f.file.Write(p)
}

func (f *notingFile) Sync() error {
	f.disk.forget(f.path)
	return f.file.Sync()
}

func TestAllIsOnTheDiskBeforeItIsReliedOn(t *testing.T) {
	t.Parallel()
	b := openAt(t, t.TempDir())
	f := files(b)
	d := &notingDisk{disk: realDisk{}, pending: map[string]bool{}, decides: func(to string) bool {
		return to == f.where() || filepath.Dir(to) == f.staging() && filepath.Ext(to) == ".json"
	}}
	f.disk = d
	wantKept := func(after string, decided int, folder string) {
		t.Helper()
		if d.decided != decided {
			t.Errorf("%s: decided %d times, want %d: the test has lost its hold", after, d.decided, decided)
		}
		if len(d.early) > 0 {
			t.Errorf("%s: a power cut after its decision loses %q", after, d.early)
		}
		if d.pending[folder] {
			t.Errorf("%s: it is not certain, only %q", after, slices.Sorted(maps.Keys(d.pending)))
		}
	}
	writeParts(t, b, oldPart())
	wantKept("a part", 1, f.staging())
	writeParts(t, b, newPart())
	wantKept("a second part", 2, f.staging())
	publish(t, b, oldPart(), newPart())
	wantKept("publishing", 3, f.root)
}
