package csvbundle

import (
	"archive/zip"
	"io"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
)

// newGzip compresses fast, and the same content always to the same bytes: no
// name and no time goes into the header.
func newGzip(to io.Writer) *gzip.Writer {
	w, err := gzip.NewWriterLevel(to, gzip.BestSpeed)
	if err != nil {
		panic(err) // the level is one of the package's own
	}
	return w
}

// registerFast makes a zip file's entries be compressed as newGzip does.
func registerFast(z *zip.Writer) {
	z.RegisterCompressor(zip.Deflate, func(to io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(to, flate.BestSpeed)
	})
}
