package csvbundle

import (
	"archive/zip"
	"io"
	"sync"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
)

// gzips compress fast, and the same content always to the same bytes: no name
// and no time goes into the header. One takes most of a megabyte, so they are
// used again.
type gzips struct{ idle sync.Pool }

func (g *gzips) begin(to io.Writer) *gzip.Writer {
	if w, ok := g.idle.Get().(*gzip.Writer); ok {
		w.Reset(to)
		return w
	}
	w, err := gzip.NewWriterLevel(to, gzip.BestSpeed)
	if err != nil {
		panic(err) // the level is one of the package's own
	}
	return w
}

// end completes the compressed text. Whoever fails instead drops the writer.
func (g *gzips) end(w *gzip.Writer) error {
	err := w.Close()
	w.Reset(nil) // nothing of where it wrote is kept
	g.idle.Put(w)
	return err
}

// registerFast makes a zip file's entries be compressed as gzips do.
func registerFast(z *zip.Writer) {
	z.RegisterCompressor(zip.Deflate, func(to io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(to, flate.BestSpeed)
	})
}
