package csvbundle

import (
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
)

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
