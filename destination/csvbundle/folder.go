package csvbundle

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"farewell/destination"
)

// folder is a vault on a file system: the bundle is swapped in by renames, and
// everything is on the disk before it is relied on.
type folder struct {
	root    string
	account string
	zip     bool
	disk    disk

	publishing sync.Mutex
	written    written
}

func (f *folder) where() string {
	if f.zip {
		return filepath.Join(f.root, f.account+".zip")
	}
	return filepath.Join(f.root, f.account)
}

func (f *folder) staging() string { return filepath.Join(f.root, "."+f.account+".parts") }

// publishingPrefix and replacedPrefix begin the names of the folders that
// exist only while a bundle is being published.
func (f *folder) publishingPrefix() string { return "." + f.account + ".publishing-" }
func (f *folder) replacedPrefix() string   { return "." + f.account + ".replaced-" }

// fileSink is a file that is on the disk when it is finished.
type fileSink struct{ file }

func createFile(d disk, path string) (sink, error) {
	file, err := d.Create(path)
	if err != nil {
		return nil, err
	}
	return fileSink{file}, nil
}

func (s fileSink) finish() error { return errors.Join(s.Sync(), s.Close()) }
func (s fileSink) abandon()      { _ = s.Close() } // the file is deleted next: what it holds does not matter

// folderBag is a bundle in a folder.
type folderBag struct{ fs.FS }

func (folderBag) Close() error { return nil }

func (f *folder) published(context.Context) (bag, error) {
	if f.zip {
		return openZip(f.where())
	}
	path, err := f.publishedFolder()
	if err != nil {
		return nil, err
	}
	if path == "" {
		return nil, fs.ErrNotExist
	}
	return folderBag{os.DirFS(path)}, nil
}

// publishedFolder is where the published bundle lies, "" if there is none. A
// bundle that was moved away by a publishing that was cut short still counts;
// an empty folder under the bundle's name is nothing.
func (f *folder) publishedFolder() (string, error) {
	entries, err := os.ReadDir(f.where())
	if err == nil && len(entries) > 0 {
		return f.where(), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	replaced, err := namesWithPrefix(f.root, f.replacedPrefix())
	if err != nil {
		return "", err
	}
	for _, name := range replaced {
		path := filepath.Join(f.root, name)
		if _, err := readRecord(os.DirFS(path)); err == nil {
			return path, nil
		}
	}
	return "", nil
}

func (f *folder) publish(_ context.Context, write func(shelf) error) error {
	fresh := filepath.Join(f.root, f.publishingPrefix()+randomSuffix())
	if err := f.disk.Mkdir(fresh); err != nil {
		return err
	}
	err := f.fill(fresh, write)
	if err != nil {
		// What is left of it helps nobody, and a full disk needs the space.
		return errors.Join(err, removeFolder(f.disk, fresh))
	}
	if f.zip {
		return f.swapFile(fresh)
	}
	return f.swap(fresh)
}

// fill writes the bundle into a folder of its own, down to the disk.
func (f *folder) fill(fresh string, write func(shelf) error) error {
	if f.zip {
		file, err := f.disk.Create(filepath.Join(fresh, f.account+".zip"))
		if err != nil {
			return err
		}
		err = fillZip(file, f.account, write)
		if err == nil {
			err = file.Sync()
		}
		return errors.Join(err, file.Close())
	}
	s := &folderShelf{folder: f, path: fresh, made: map[string]bool{"": true}}
	if err := write(s); err != nil {
		return err
	}
	return s.sync()
}

// swapFile puts a complete zip file in the place of the one that is there.
func (f *folder) swapFile(fresh string) error {
	if err := f.disk.Rename(filepath.Join(fresh, f.account+".zip"), f.where()); err != nil {
		return err
	}
	if err := f.disk.SyncFolder(f.root); err != nil {
		return err
	}
	return removeFolder(f.disk, fresh)
}

// swap puts a complete bundle under the bundle's name. Between its two renames
// there is no bundle; what was there is repaired from the replaced one.
func (f *folder) swap(fresh string) error {
	// An empty folder that someone made beforehand would be moved away as if
	// it were a bundle.
	if err := removeEmpty(f.disk, f.where()); err != nil {
		return err
	}
	_, err := os.Lstat(f.where())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	replaces := err == nil
	suffix := strings.TrimPrefix(filepath.Base(fresh), f.publishingPrefix())
	if replaces {
		if err := f.disk.Rename(f.where(), filepath.Join(f.root, f.replacedPrefix()+suffix)); err != nil {
			return err
		}
	}
	if err := f.disk.Rename(fresh, f.where()); err != nil {
		return err
	}
	return f.disk.SyncFolder(f.root)
}

func removeEmpty(d disk, path string) error {
	entries, err := os.ReadDir(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil || len(entries) > 0 {
		return err
	}
	return removeIfThere(d, path)
}

func (f *folder) repair(context.Context) error {
	if !f.zip {
		path, err := f.publishedFolder()
		if err != nil {
			return err
		}
		if path != "" && path != f.where() {
			if err := removeEmpty(f.disk, f.where()); err != nil {
				return err
			}
			if err := f.disk.Rename(path, f.where()); err != nil {
				return err
			}
			if err := f.disk.SyncFolder(f.root); err != nil {
				return err
			}
		}
	}
	return f.removeLeftovers()
}

// removeLeftovers deletes what only a publishing in progress may hold.
func (f *folder) removeLeftovers() error {
	for _, prefix := range []string{f.publishingPrefix(), f.replacedPrefix()} {
		names, err := namesWithPrefix(f.root, prefix)
		if err != nil {
			return err
		}
		for _, name := range names {
			if err := removeFolder(f.disk, filepath.Join(f.root, name)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *folder) tidy(_ context.Context, keep map[string]string) error {
	if err := f.removeLeftovers(); err != nil {
		return err
	}
	for part, try := range keep {
		f.written.forget(f.tryPath(try)) // a later publishing reads what it finds
		if err := f.removeTries(part, try); err != nil {
			return err
		}
	}
	return nil
}

// close ends nothing: between calls, nothing is open.
func (f *folder) close() error { return nil }

// lock keeps two publishings of a bundle apart, in this process and in others
// on this machine.
func (f *folder) lock(context.Context) (unlock func(), err error) {
	f.publishing.Lock()
	defer func() {
		if err != nil {
			f.publishing.Unlock()
		}
	}()
	if err := makeFolders(f.disk, f.staging()); err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(filepath.Join(f.staging(), "publishing.lock"), os.O_RDWR|os.O_CREATE, fileMode)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = lock.Close() // nothing was written to it
		return nil, &destination.Error{Op: "publish bundle " + f.where(), Kind: destination.Temporary, Code: "locked", Err: err,
			Fix: "another process is publishing this bundle: let it end"}
	}
	return func() {
		// Closing alone would leave the lock to a child process that was
		// forked meanwhile and has not yet closed its copy.
		_ = syscall.Flock(int(lock.Fd()), syscall.LOCK_UN) // cannot fail for a lock that we hold
		_ = lock.Close()                                   // nothing was written to it
		f.publishing.Unlock()
	}, nil
}
