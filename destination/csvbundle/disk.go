package csvbundle

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Whoever may read the folder above may be handed the bundle; others may not.
const (
	folderMode fs.FileMode = 0o750
	fileMode   fs.FileMode = 0o640
)

// disk is every way in which this package changes the file system, so that
// tests can cut the power or fill the disk before each single step.
type disk interface {
	Mkdir(path string) error
	Create(path string) (file, error) // the file must not exist
	Rename(from, to string) error
	Link(from, to string) error
	Remove(path string) error // a file or an empty folder
	SyncFolder(path string) error
}

type file interface {
	io.Writer
	Sync() error
	Close() error
}

type realDisk struct{}

func (realDisk) Mkdir(path string) error { return os.Mkdir(path, folderMode) }

func (realDisk) Create(path string) (file, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
}

func (realDisk) Rename(from, to string) error { return os.Rename(from, to) }

func (realDisk) Link(from, to string) error { return os.Link(from, to) }

func (realDisk) Remove(path string) error { return os.Remove(path) }

func (realDisk) SyncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// makeFolders makes a folder and those above it that are missing, each of
// them durable.
func makeFolders(d disk, path string) error {
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := filepath.Dir(path)
	if err := makeFolders(d, parent); err != nil {
		return err
	}
	if err := d.Mkdir(path); err != nil {
		// Another part of the same bundle may have made it in between.
		if info, statErr := os.Stat(path); statErr != nil || !info.IsDir() {
			return err
		}
	}
	return d.SyncFolder(parent)
}

// removeFolder deletes a folder with all that is in it, the manifest first: what
// is left of a deletion that was cut short must not look like a bundle.
func removeFolder(d disk, path string) error {
	if err := removeIfThere(d, filepath.Join(path, manifestName)); err != nil {
		return err
	}
	entries, err := os.ReadDir(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		inside := filepath.Join(path, e.Name())
		if e.IsDir() {
			err = removeFolder(d, inside)
		} else {
			err = removeIfThere(d, inside)
		}
		if err != nil {
			return err
		}
	}
	return removeIfThere(d, path)
}

func removeIfThere(d disk, path string) error {
	if err := d.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// writeSmall writes a whole file and brings it to the disk.
func writeSmall(d disk, path string, content []byte) error {
	f, err := d.Create(path)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// namesWithPrefix lists what lies in a folder under names that begin with the
// prefix, in their order. A folder that is missing holds nothing.
func namesWithPrefix(folder, prefix string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), prefix) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

func randomSuffix() string {
	var b [6]byte
	if _, err := rand.Read(b[:]); err != nil {
		panic(err) // crypto/rand does not fail on any platform that we build for
	}
	return hex.EncodeToString(b[:])
}
