package csvbundle

import (
	"archive/zip"
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
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

// draftName is a try's description on its way.
const draftName = "part.json"

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

// folderShelf writes a bundle's files into a folder.
type folderShelf struct {
	*folder
	path string

	mu   sync.Mutex
	made map[string]bool // folders, as names within the bundle
}

func (s *folderShelf) parallel() bool { return true }

func (s *folderShelf) create(name string) (sink, error) {
	if err := s.makeFolder(filepath.Dir(filepath.FromSlash(name))); err != nil {
		return nil, err
	}
	return createFile(s.disk, filepath.Join(s.path, filepath.FromSlash(name)))
}

// adopt shares the part's file with the bundle: both names stand for the same
// bytes, which are on the disk already.
func (s *folderShelf) adopt(try, file, name string) (bool, error) {
	if err := s.makeFolder(filepath.Dir(filepath.FromSlash(name))); err != nil {
		return false, err
	}
	err := s.disk.Link(filepath.Join(s.tryPath(try), file), filepath.Join(s.path, filepath.FromSlash(name)))
	if isAny(err, syscall.EPERM, syscall.EOPNOTSUPP, syscall.EMLINK, syscall.EXDEV) {
		return false, nil // a file system without hard links
	}
	return err == nil, err
}

func (s *folderShelf) makeFolder(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.makeWithin(name)
}

// makeWithin makes a folder and those above it. The lock is held.
func (s *folderShelf) makeWithin(name string) error {
	if name == "." || s.made[name] {
		return nil
	}
	if err := s.makeWithin(filepath.Dir(name)); err != nil {
		return err
	}
	s.made[name] = true
	return s.disk.Mkdir(filepath.Join(s.path, name))
}

// syncsAtATime is how many folders are brought to the disk at a time: a bundle
// has one for each ticket with attachments, and the disk takes several at once.
const syncsAtATime = 8

// sync makes the names of all files durable.
func (s *folderShelf) sync() error {
	names := make(chan string, len(s.made))
	for name := range s.made {
		names <- name
	}
	close(names)
	var on sync.WaitGroup
	var failed atomic.Pointer[error]
	for range min(syncsAtATime, len(s.made)) {
		on.Go(func() {
			for name := range names {
				if err := s.disk.SyncFolder(filepath.Join(s.path, name)); err != nil {
					failed.CompareAndSwap(nil, &err)
					return
				}
			}
		})
	}
	on.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	return nil
}

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
