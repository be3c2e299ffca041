package csvbundle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"farewell/migration"
)

// Inventory implements destination.Streams. Without a published bundle it
// finds nothing. In a bundle, a record's id is the source's. An error of found
// ends the listing and comes back as it is.
func (b *Bundle) Inventory(ctx context.Context, e migration.Entity, found func(migration.Item) error) error {
	op := fmt.Sprintf("list %s of bundle %s", e, b.target())
	if !slices.Contains(migration.Entities(), e) {
		return refused(op, "unknown entity", errors.New("a bundle has no such entity"), "")
	}
	folder, err := b.publishedFolder()
	if err != nil || folder == "" {
		return b.failure(op, err)
	}
	if _, err := b.published(); err != nil {
		return b.failure(op, err)
	}
	f, err := os.Open(filepath.Join(folder, fileName(string(e))))
	if err != nil {
		return b.failure(op, err)
	}
	defer f.Close()
	rows := newReader(reading{ctx, f})
	header, err := rows.read()
	if err != nil {
		return b.failure(op, err)
	}
	id := slices.IndexFunc(header, func(c cell) bool { return c.text == "id" })
	if id < 0 {
		return refused(op, "no id", errors.New("the file has no column id"), "")
	}
	for {
		row, err := rows.read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return b.failure(op, err)
		}
		if len(row) != len(header) {
			return refused(op, "damaged", fmt.Errorf("record %d has %d cells, the header has %d", rows.records-1, len(row), len(header)),
				"the file was changed since it was published: bring back a copy")
		}
		if err := found(migration.Item{SourceID: row[id].text, TargetID: row[id].text, Outcome: migration.AlreadyThere}); err != nil {
			return err
		}
	}
}
