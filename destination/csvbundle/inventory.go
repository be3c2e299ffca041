package csvbundle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzip"

	"farewell/migration"
)

// Inventory implements destination.Streams. Without a published bundle it
// finds nothing. In a bundle, a record's id is the source's. An error of found
// ends the listing and comes back as it is.
func (b *Bundle) Inventory(ctx context.Context, e migration.Entity, found func(migration.Item) error) error {
	op := fmt.Sprintf("list %s of bundle %s", e, b.vault.where())
	if !slices.Contains(migration.Entities(), e) {
		return refused(op, "unknown entity", errors.New("a bundle has no such entity"), "")
	}
	bag, err := b.vault.published(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return b.failure(op, err)
	}
	defer bag.Close()
	r, err := readRecord(bag)
	if err != nil {
		return b.failure(op, err)
	}
	table := r.table(string(e))
	if table == nil {
		return refused(op, "no table", errors.New("the bundle has no such table"), "")
	}
	guarded := !r.Form.Raw && len(table.Columns) > 0 && table.Columns[0].Type == migration.ColumnString
	for _, f := range table.Files {
		err := readIDs(ctx, bag, f.Path, func(id string) error {
			if guarded {
				id = unguard(id)
			}
			return found(migration.Item{SourceID: id, TargetID: id, Outcome: migration.AlreadyThere})
		})
		if err != nil {
			return b.inventoryFailed(op, err)
		}
	}
	return nil
}

// errDamaged is a file that is not as it was published.
var errDamaged = errors.New("the file was changed since it was published")

func (b *Bundle) inventoryFailed(op string, err error) error {
	var theirs callerError
	if errors.As(err, &theirs) {
		return theirs.error
	}
	if errors.Is(err, errDamaged) || errors.Is(err, errCutShort) || errors.Is(err, errQuote) {
		return refused(op, "damaged", err, "bring back a copy")
	}
	return b.failure(op, err)
}

// callerError is an error that goes back as it came.
type callerError struct{ error }

// readIDs reads the ids in a table's file.
func readIDs(ctx context.Context, bag fs.FS, path string, found func(id string) error) error {
	text, err := openText(bag, path)
	if err != nil {
		return err
	}
	defer text.Close()
	rows := newReader(reading{ctx, text})
	header, err := rows.read()
	if err != nil {
		return err
	}
	for {
		row, err := rows.read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if len(row) != len(header) {
			return fmt.Errorf("%w: record %d of %s has %d cells, the header has %d", errDamaged, rows.records-1, path, len(row), len(header))
		}
		if err := found(row[0].text); err != nil {
			return callerError{err}
		}
	}
}

// openText opens a table's file, unpacked.
func openText(bag fs.FS, path string) (io.ReadCloser, error) {
	f, err := bag.Open(path)
	if err != nil || !strings.HasSuffix(path, ".gz") {
		return f, err
	}
	unpacked, err := gzip.NewReader(f)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return struct {
		io.Reader
		io.Closer
	}{unpacked, f}, nil
}
