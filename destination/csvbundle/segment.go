package csvbundle

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
)

// bufferSize gathers COPY's single rows into writes that a disk likes; it is
// all the memory that a stream needs.
const bufferSize = 256 << 10

// digest is what is known about the bytes of a file.
type digest struct {
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"` // hexadecimal, lower case
}

// segment is a file in the making that hashes and counts what it is given.
type segment struct {
	file   file
	buffer *bufio.Writer
	hash   hash.Hash
	bytes  int64
	last   byte
	err    error // the first failure of the disk: readers of our writes may hide it
}

func createSegment(d disk, path string) (*segment, error) {
	f, err := d.Create(path)
	if err != nil {
		return nil, err
	}
	s := &segment{file: f, hash: sha256.New()}
	s.buffer = bufio.NewWriterSize(io.MultiWriter(f, s.hash), bufferSize)
	return s, nil
}

func (s *segment) Write(p []byte) (int, error) {
	n, err := s.buffer.Write(p)
	if err != nil && s.err == nil {
		s.err = err
	}
	if n > 0 {
		s.last = p[n-1]
	}
	s.bytes += int64(n)
	return n, err
}

// finish brings the file to the disk and says what is in it.
func (s *segment) finish() (digest, error) {
	if err := s.buffer.Flush(); err != nil {
		return digest{}, errors.Join(err, s.file.Close())
	}
	if err := errors.Join(s.file.Sync(), s.file.Close()); err != nil {
		return digest{}, err
	}
	return digest{Bytes: s.bytes, SHA256: hex.EncodeToString(s.hash.Sum(nil))}, nil
}

// abandon closes a file that nobody wants any more.
func (s *segment) abandon() {
	_ = s.file.Close() // the file is deleted next: what it holds does not matter
}
