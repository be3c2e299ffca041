package zendesk

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// content is a file as the body of a request. When the file turns out not to be
// right, the request is broken off before its last byte.
type content struct {
	from   io.ReadCloser
	limit  int64
	still  time.Duration
	cancel context.CancelFunc
	ended  func() // called at the file's end; may be nil

	// net/http may still read when it has returned an answer.
	closed atomic.Bool
	mu     sync.Mutex
	sent   int64
	hash   hash.Hash // of what was sent
	failed error
	watch  *time.Timer // ends an upload whose bytes nobody takes
}

var errOverLimit = errors.New("the file is larger than the account takes")

// Read implements io.Reader. The error of a file that failed wraps
// context.Canceled: it says nothing about the account.
func (c *content) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed.Load() {
		return 0, io.ErrClosedPipe
	}
	c.stopWatch()
	n, err := c.from.Read(p)
	c.sent += int64(n)
	c.hash.Write(p[:n])
	if c.sent > c.limit {
		err = errOverLimit
	}
	switch {
	case err == nil:
		c.watch = time.AfterFunc(c.still, c.cancel)
		return n, nil
	case errors.Is(err, io.EOF):
		if c.ended != nil {
			c.ended()
		}
		return n, io.EOF
	}
	if !c.closed.Load() {
		c.failed = err
	}
	return 0, fmt.Errorf("the file cannot be had: %w", context.Canceled)
}

// end closes the file, and tells how far it was read and what it failed with.
func (c *content) end() (sent int64, failed error) {
	c.closed.Store(true)
	_ = c.from.Close() // ends a Read that waits
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopWatch()
	return c.sent, c.failed
}

func (c *content) stopWatch() {
	if c.watch != nil {
		c.watch.Stop()
	}
}
