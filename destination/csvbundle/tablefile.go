package csvbundle

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"

	"farewell/migration"
)

// atATime is how many files are written at a time: one is read and hashed
// while another waits for the disk.
const atATime = 2

// writeFiles writes all of the tables' files.
func (b *Bundle) writeFiles(ctx context.Context, op string, w *bagWriter, r *record, files []fileJob) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	workers := 1
	if w.shelf.parallel() {
		workers = atATime
	}
	queue := make(chan fileJob, len(files))
	// The large ones first, so that no worker is left with one at the end.
	slices.SortStableFunc(files, func(a, b fileJob) int { return int(b.bytes() - a.bytes()) })
	for _, f := range files {
		queue <- f
	}
	close(queue)
	failures := make(chan error, workers)
	for range workers {
		go func() {
			for f := range queue {
				if err := b.writeFile(ctx, op, w, &r.Tables[f.table].Files[f.file], f); err != nil {
					cancel()
					failures <- err
					return
				}
			}
			failures <- nil
		}()
	}
	var first error
	for range workers {
		if err := <-failures; err != nil && (first == nil || errors.Is(first, context.Canceled)) {
			first = err
		}
	}
	for i := range r.Tables {
		for _, f := range r.Tables[i].Files {
			r.Tables[i].Rows += f.Rows
		}
	}
	return first
}

// writeFile writes one file: the header row, then every part's rows, in one
// ordered read.
func (b *Bundle) writeFile(ctx context.Context, op string, w *bagWriter, to *tableFile, f fileJob) error {
	if err := ctx.Err(); err != nil {
		return err // what need not be read would not notice
	}
	if len(f.pieces) == 1 && len(f.extra) == 0 {
		done, err := b.adopt(ctx, op, w, to, f.pieces[0])
		if done || err != nil {
			return err
		}
	}
	s, err := w.create(to.Path)
	if err != nil {
		return err
	}
	if err := b.fillFile(ctx, op, s, to, f); err != nil {
		s.abandon()
		return err
	}
	to.digest, err = w.close(to.Path, s)
	return err
}

// adopt makes a part's file the bundle's, after one ordered read of it unless
// it is as it was when it was hashed. false: it has to be copied.
func (b *Bundle) adopt(ctx context.Context, op string, w *bagWriter, to *tableFile, p piece) (bool, error) {
	if done, err := w.shelf.adopt(p.part.Try, p.View, to.Path); !done {
		if errors.Is(err, fs.ErrNotExist) {
			err = b.missingPart(op, p.part.ref(), err)
		}
		return false, err
	}
	if !b.vault.untouched(p.part.Try, p.View) {
		if err := b.readPiece(ctx, op, p, 0, io.Discard); err != nil {
			return false, err
		}
	}
	to.Rows, to.digest = p.Rows, p.digest
	w.note(to.Path, p.digest)
	return true, nil
}

func (b *Bundle) fillFile(ctx context.Context, op string, s *segment, to *tableFile, f fileJob) error {
	if err := b.writeText(s, b.header(f.columns)); err != nil {
		return err
	}
	for _, p := range f.pieces {
		if err := b.readPiece(ctx, op, p, p.Header, s); err != nil {
			return err
		}
		to.Rows += p.Rows
	}
	to.Rows += int64(len(f.extra))
	return b.writeText(s, strings.Join(f.extra, ""))
}

// writeText writes text in the file's form. Compressed files are one gzip
// member after the other, which is a gzip file (RFC 1952, section 2.2).
func (b *Bundle) writeText(to io.Writer, text string) error {
	if text == "" {
		return nil
	}
	if !b.form.Gzip {
		_, err := io.WriteString(to, text)
		return err
	}
	w := b.gzips.begin(to)
	_, err := io.WriteString(w, text)
	return errors.Join(err, b.gzips.end(w))
}

// header is what each of a table's files begins with.
func (b *Bundle) header(columns []migration.Column) string {
	if b.form.Excel {
		return "\ufeff" + headerRow(columns)
	}
	return headerRow(columns)
}

func headerRow(columns []migration.Column) string {
	cells := make([]*string, len(columns))
	for i := range columns {
		cells[i] = &columns[i].Name
	}
	return rowOf(cells...)
}
