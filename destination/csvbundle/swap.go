package csvbundle

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"farewell/destination"
)

// swap puts a complete bundle under the bundle's name. Between its two renames
// there is no bundle; what was there is repaired from the replaced one.
func (b *Bundle) swap(fresh string) error {
	// An empty folder that someone made beforehand would be moved away as if
	// it were a bundle.
	if err := removeEmpty(b.disk, b.target()); err != nil {
		return err
	}
	_, err := os.Lstat(b.target())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	replaces := err == nil
	suffix := strings.TrimPrefix(filepath.Base(fresh), b.publishingPrefix())
	replaced := filepath.Join(b.root, b.replacedPrefix()+suffix)
	if replaces {
		if err := b.disk.Rename(b.target(), replaced); err != nil {
			return err
		}
	}
	if err := b.disk.Rename(fresh, b.target()); err != nil {
		return err
	}
	return b.disk.SyncFolder(b.root)
}

func removeEmpty(d disk, folder string) error {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil || len(entries) > 0 {
		return err
	}
	return removeIfThere(d, folder)
}

// repair undoes a publishing that was cut short: a bundle that was moved away
// before its successor was in place comes back, the rest is deleted.
func (b *Bundle) repair() error {
	// A folder in the way ends it here: what was moved away may be the only
	// bundle that there is.
	if _, err := b.published(); err != nil {
		return err
	}
	folder, err := b.publishedFolder()
	if err != nil {
		return err
	}
	if folder != "" && folder != b.target() {
		if err := removeEmpty(b.disk, b.target()); err != nil {
			return err
		}
		if err := b.disk.Rename(folder, b.target()); err != nil {
			return err
		}
		if err := b.disk.SyncFolder(b.root); err != nil {
			return err
		}
	}
	return b.removeLeftovers()
}

// removeLeftovers deletes what only a publishing in progress may hold.
func (b *Bundle) removeLeftovers() error {
	for _, prefix := range []string{b.publishingPrefix(), b.replacedPrefix()} {
		names, err := namesWithPrefix(b.root, prefix)
		if err != nil {
			return err
		}
		for _, name := range names {
			if err := removeFolder(b.disk, filepath.Join(b.root, name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// tidy deletes what publishing and earlier tries of the published parts left.
func (b *Bundle) tidy(parts []storedPart) error {
	if err := b.removeLeftovers(); err != nil {
		return err
	}
	for _, p := range parts {
		if err := b.removeTries(p.ref()); err != nil {
			return err
		}
	}
	return nil
}

// lockPublishing keeps two publishings of a bundle apart, in this process and
// in others on this machine. The lock ends with its process.
func (b *Bundle) lockPublishing() (unlock func(), err error) {
	b.publishing.Lock()
	defer func() {
		if err != nil {
			b.publishing.Unlock()
		}
	}()
	if err := makeFolders(b.disk, b.staging()); err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(filepath.Join(b.staging(), "publishing.lock"), os.O_RDWR|os.O_CREATE, fileMode)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = lock.Close() // nothing was written to it
		return nil, &destination.Error{Op: "publish bundle " + b.target(), Kind: destination.Temporary, Code: "locked", Err: err,
			Fix: "another process is publishing this bundle: let it end"}
	}
	return func() {
		// Closing alone would leave the lock to a child process that was
		// forked meanwhile and has not yet closed its copy.
		_ = syscall.Flock(int(lock.Fd()), syscall.LOCK_UN) // cannot fail for a lock that we hold
		_ = lock.Close()                                   // nothing was written to it
		b.publishing.Unlock()
	}, nil
}
