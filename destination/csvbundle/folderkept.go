package csvbundle

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

func (f *folder) fetches() int { return fetchesAtATime }

// fetchesAtATime is how many files of a part are on their way at a time: three
// parts of a migration then have most of what a worker may open.
const fetchesAtATime = 8

func (f *folder) createFile(_ context.Context, try, name string) (sink, error) {
	return createFile(f.disk, filepath.Join(f.tryPath(try), name))
}

func (f *folder) dropFile(_ context.Context, try, name string) error {
	return removeIfThere(f.disk, filepath.Join(f.tryPath(try), name))
}

// keepFile fails when a later try has begun: then there is nothing under the
// name of this one.
func (f *folder) keepFile(_ context.Context, part, try, name, as string) error {
	to := f.tryPath(keptFolder(part))
	if err := makeFolders(f.disk, to); err != nil {
		return err
	}
	return f.disk.Rename(filepath.Join(f.tryPath(try), name), filepath.Join(to, as))
}

func (f *folder) keptNames(_ context.Context, part string) ([]string, error) {
	return namesWithPrefix(f.tryPath(keptFolder(part)), "")
}

func (f *folder) dropKept(_ context.Context, part, name string) error {
	return removeIfThere(f.disk, filepath.Join(f.tryPath(keptFolder(part)), name))
}

// syncKept makes the names of a part's kept files durable, if it has any.
func (f *folder) syncKept(part string) error {
	path := f.tryPath(keptFolder(part))
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return f.disk.SyncFolder(path)
}
