package csvbundle

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
)

// bufferSize gathers small writes into ones that a disk likes; larger ones, as
// a source's streams are, pass by without being copied.
const bufferSize = 64 << 10

// digest is what is known about the bytes of a file.
type digest struct {
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"` // hexadecimal, lower case
}

// hashing counts and hashes what it passes on.
type hashing struct {
	to    io.Writer
	hash  hash.Hash
	bytes int64
}

func newHashing(to io.Writer) *hashing { return &hashing{to: to, hash: sha256.New()} }

func (h *hashing) Write(p []byte) (int, error) {
	n, err := h.to.Write(p)
	h.hash.Write(p[:n])
	h.bytes += int64(n)
	return n, err
}

func (h *hashing) digest() digest {
	return digest{Bytes: h.bytes, SHA256: hex.EncodeToString(h.hash.Sum(nil))}
}

// segment is a file in the making that hashes and counts what it is given.
type segment struct {
	sink
	hashed *hashing
	buffer *bufio.Writer
	err    error // the first failure of the store: whoever writes here may hide it
}

func newSegment(to sink) *segment {
	s := &segment{sink: to}
	s.hashed = newHashing(to)
	s.buffer = bufio.NewWriterSize(s.hashed, bufferSize)
	return s
}

func (s *segment) Write(p []byte) (int, error) { return s.note(s.buffer.Write(p)) }

func (s *segment) note(n int, err error) (int, error) {
	if err != nil && s.err == nil {
		s.err = err
	}
	return n, err
}

// close brings the file to where it stays and says what is in it. After an
// error, too, it is closed.
func (s *segment) close() (digest, error) {
	if err := s.buffer.Flush(); err != nil {
		s.abandon()
		return digest{}, err
	}
	return s.hashed.digest(), s.finish()
}
