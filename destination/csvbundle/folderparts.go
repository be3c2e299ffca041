package csvbundle

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// draftName is a try's description on its way.
const draftName = "part.json"

func (f *folder) tryPath(try string) string { return filepath.Join(f.staging(), try) }

func (f *folder) descriptionPath(part string) string {
	return filepath.Join(f.staging(), part+".json")
}

func (f *folder) beginTry(_ context.Context, part, keep string) (string, error) {
	if err := makeFolders(f.disk, f.staging()); err != nil {
		return "", err
	}
	if err := f.removeTries(part, keep); err != nil {
		return "", err
	}
	try := part + ".try-" + randomSuffix()
	return try, f.disk.Mkdir(f.tryPath(try))
}

// removeTries deletes every try of the part but one. A try is renamed before
// it is emptied: from then on its writer, should it be alive, finds its folder
// missing and cannot commit.
func (f *folder) removeTries(part, keep string) error {
	tries, err := namesWithPrefix(f.staging(), part+".try-")
	if err != nil {
		return err
	}
	for _, try := range tries {
		if try == keep {
			continue
		}
		dead := f.tryPath(part + ".dead-" + randomSuffix())
		if err := f.disk.Rename(f.tryPath(try), dead); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	dead, err := namesWithPrefix(f.staging(), part+".dead-")
	if err != nil {
		return err
	}
	for _, name := range dead {
		if err := removeFolder(f.disk, f.tryPath(name)); err != nil {
			return err
		}
	}
	return nil
}

func (f *folder) endTry(_ context.Context, try string) error {
	f.written.forget(f.tryPath(try))
	return removeFolder(f.disk, f.tryPath(try))
}

func (f *folder) createRows(_ context.Context, try, name string) (sink, error) {
	path := filepath.Join(f.tryPath(try), name)
	to, err := createFile(f.disk, path)
	if err != nil {
		return nil, err
	}
	return rowsSink{to, &f.written, path}, nil
}

func (f *folder) untouched(try, name string) bool {
	return f.written.untouched(filepath.Join(f.tryPath(try), name))
}

func (f *folder) commitPart(_ context.Context, part, try string, description []byte) error {
	draft := filepath.Join(f.tryPath(try), draftName)
	if err := writeSmall(f.disk, draft, description); err != nil {
		return err
	}
	if err := f.disk.SyncFolder(f.tryPath(try)); err != nil {
		return err
	}
	if err := f.syncKept(part); err != nil {
		return err
	}
	if err := f.disk.Rename(draft, f.descriptionPath(part)); err != nil {
		return err
	}
	return f.disk.SyncFolder(f.staging())
}

func (f *folder) description(_ context.Context, part string) ([]byte, error) {
	return os.ReadFile(f.descriptionPath(part))
}

func (f *folder) anyDescription(context.Context) ([]byte, error) {
	names, err := namesWithPrefix(f.staging(), "")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if filepath.Ext(name) == ".json" {
			return os.ReadFile(filepath.Join(f.staging(), name))
		}
	}
	return nil, nil
}

func (f *folder) openRows(_ context.Context, try, name string, offset int64) (io.ReadCloser, error) {
	file, err := os.Open(filepath.Join(f.tryPath(try), name))
	if err != nil {
		return nil, err
	}
	if _, err := file.Seek(offset, io.SeekStart); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}
