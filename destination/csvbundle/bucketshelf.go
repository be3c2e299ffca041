package csvbundle

import (
	"context"
	"sync"
)

// bucketShelf writes a bundle's files as objects.
type bucketShelf struct {
	*bucket
	ctx context.Context

	once  sync.Once
	began error
}

func (s *bucketShelf) parallel() bool { return true }

// begin takes the old bundle away, when all is ready for the new one.
func (s *bucketShelf) begin() error {
	s.once.Do(func() {
		s.began = s.bucket.write(s.ctx, s.publishingKey(), []byte("a bundle is being published; if nobody does, the next run repairs it\n"))
		if s.began == nil {
			s.began = s.remove(s.ctx, s.bundleKey()+manifestName)
		}
		if s.began == nil {
			s.began = s.removeAll(s.ctx, s.bundleKey())
		}
	})
	return s.began
}

func (s *bucketShelf) create(name string) (sink, error) {
	if err := s.begin(); err != nil {
		return nil, err
	}
	return s.bucket.create(s.ctx, s.bundleKey()+name)
}

// adopt has the store copy the object: the bytes do not come here.
func (s *bucketShelf) adopt(try, file, name string) (bool, error) {
	if err := s.begin(); err != nil {
		return false, err
	}
	opened, err := s.bucket.bucket(s.ctx)
	if err != nil {
		return false, err
	}
	err = opened.Copy(s.ctx, s.bundleKey()+name, s.partsKey(try+"/"+file), nil)
	return err == nil, found(err)
}
