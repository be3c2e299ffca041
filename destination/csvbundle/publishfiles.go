package csvbundle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"

	"github.com/klauspost/compress/gzip"

	"farewell/migration"
)

// adoptsAtATime is how many files are linked, or copied by an object store, at
// a time.
const adoptsAtATime = 8

// keptFile is the kept file of a part that stands behind a row of its filesTable.
func (b *Bundle) keptFile(f listedFile) string {
	return kept{keptID(b.form.sourceID(f.id)), f.digest}.name()
}

// hasFiles tells whether a bundle of these parts has a filesTable.
func hasFiles(parts []storedPart) bool {
	for _, p := range parts {
		if p.section(filesTable) != nil || p.gone != nil && p.gone.Rows[filesTable] > 0 {
			return true
		}
	}
	return false
}

// writeAttachments makes the parts' files of attachments the bundle's, without
// reading them where that can be done: what is in them was hashed when they came.
func (b *Bundle) writeAttachments(ctx context.Context, op string, s shelf, parts []storedPart) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	workers := 1
	if s.parallel() {
		workers = adoptsAtATime
	}
	var on sync.WaitGroup
	places := make(chan struct{}, workers)
	err := b.eachFile(ctx, parts, func(p storedPart, f listedFile) error {
		if f.path == "" || ctx.Err() != nil {
			return ctx.Err()
		}
		places <- struct{}{}
		on.Go(func() {
			defer func() { <-places }()
			if err := b.writeAttachment(ctx, op, s, p, f); err != nil {
				cancel(err)
			}
		})
		return nil
	})
	on.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

func (b *Bundle) writeAttachment(ctx context.Context, op string, s shelf, p storedPart, f listedFile) error {
	name := b.keptFile(f)
	done, err := s.adopt(keptFolder(partKey(p.ref())), name, f.path)
	if err == nil && !done {
		err = b.copyAttachment(ctx, op, s, p, f)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return b.missingPart(op, p.ref(), fmt.Errorf("the file of attachment %s: %w", f.id, err))
	}
	return err
}

func (b *Bundle) copyAttachment(ctx context.Context, op string, s shelf, p storedPart, f listedFile) error {
	from, err := b.vault.openRows(ctx, keptFolder(partKey(p.ref())), b.keptFile(f), 0)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := s.create(f.path)
	if err != nil {
		return err
	}
	hashed := newHashing(to)
	if _, err := io.CopyBuffer(hashed, reading{ctx, from}, make([]byte, fetchBuffer)); err != nil {
		to.abandon()
		return err
	}
	if hashed.digest() != f.digest {
		to.abandon()
		return b.damagedPart(op, p, "attachment "+f.id)
	}
	return to.finish()
}

// openPiece opens one view of a part, unpacked.
func (b *Bundle) openPiece(ctx context.Context, p storedPart, view string) (io.ReadCloser, error) {
	from, err := b.vault.openRows(ctx, p.Try, view, 0)
	if err != nil || !p.Form.Gzip {
		return from, err
	}
	unpacked, err := gzip.NewReader(from)
	if err != nil {
		return nil, errors.Join(err, from.Close())
	}
	return struct {
		io.Reader
		io.Closer
	}{unpacked, from}, nil
}

// fileFaults lists the files that the source had no more, or did not give.
func (b *Bundle) fileFaults(ctx context.Context, parts []storedPart) ([]fault, error) {
	var all []fault
	err := b.eachFile(ctx, parts, func(_ storedPart, f listedFile) error {
		if f.path == "" {
			all = append(all, fault{string(migration.Attachments), f.id, "export", f.code, f.reason})
		}
		return nil
	})
	return all, err
}

// dropUnused deletes kept files that no row speaks of: a later try has found
// other bytes.
func (b *Bundle) dropUnused(ctx context.Context, parts []storedPart) error {
	for _, p := range parts {
		names, err := b.vault.keptNames(ctx, partKey(p.ref()))
		if err != nil {
			return err
		}
		if len(names) == 0 {
			continue
		}
		unused := make(map[string]struct{}, len(names))
		for _, name := range names {
			unused[name] = struct{}{}
		}
		err = b.eachFile(ctx, []storedPart{p}, func(_ storedPart, f listedFile) error {
			if f.path != "" {
				delete(unused, b.keptFile(f))
			}
			return nil
		})
		if err != nil {
			return err
		}
		for name := range unused {
			if err := b.vault.dropKept(ctx, partKey(p.ref()), name); err != nil {
				return err
			}
		}
	}
	return nil
}
