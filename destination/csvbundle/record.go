package csvbundle

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"time"

	"farewell/destination"
	"farewell/migration"
)

const (
	// recordName is a tag file of our own: what a later run of the migration
	// needs to know of the bundle.
	recordName = "farewell.json"

	// recordFormat tells our bundles from others'. Readers refuse a format
	// that they do not know.
	recordFormat = "farewell-csv-bundle/2"
)

// record is farewell.json. Like all of a bundle, its content depends on the
// records and the plan only, so that the same records give the same bytes.
type record struct {
	Format    string              `json:"format"`
	Migration migration.Migration `json:"migration"`
	AsOf      time.Time           `json:"as_of"`
	Form      form                `json:"form"`
	Tables    []recordedTable     `json:"tables"`
	Parts     []recordedPart      `json:"parts"`
}

// recordedTable is a table of the bundle.
type recordedTable struct {
	Name    string             `json:"name"`
	Columns []migration.Column `json:"columns"`
	Rows    int64              `json:"rows"`
	Files   []tableFile        `json:"files"`
	Guarded map[string]int64   `json:"guarded,omitempty"` // cells, by column
}

// tableFile is one of a table's files.
type tableFile struct {
	Path string `json:"path"` // within the bag
	Rows int64  `json:"rows"` // without the header row
	digest
}

// recordedPart is one part, in the order in which the files hold them.
type recordedPart struct {
	Partition string           `json:"partition"`
	Pass      int              `json:"pass"`
	After     string           `json:"after,omitempty"`
	UpTo      string           `json:"up_to,omitempty"`
	Rows      map[string]int64 `json:"rows"` // by view
	digest
}

// rows are the row counts by table.
func (r *record) rows() map[string]int64 {
	rows := make(map[string]int64, len(r.Tables))
	for _, t := range r.Tables {
		rows[t.Name] = t.Rows
	}
	return rows
}

func (r *record) table(name string) *recordedTable {
	for i := range r.Tables {
		if r.Tables[i].Name == name {
			return &r.Tables[i]
		}
	}
	return nil
}

// errForeign is a bundle that we did not make.
var errForeign = errors.New("it is no bundle of ours")

// readRecord reads a bundle's record. One that is missing, that we did not
// write or that belongs to a bundle without a manifest is errForeign.
func readRecord(bag fs.FS) (*record, error) {
	_, err := fs.Stat(bag, manifestName)
	var content []byte
	if err == nil {
		content, err = fs.ReadFile(bag, recordName)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %w", errForeign, err)
	}
	if err != nil {
		return nil, err
	}
	var r record
	if err := json.Unmarshal(content, &r); err != nil {
		return nil, fmt.Errorf("%w: read %s: %w", errForeign, recordName, err)
	}
	if r.Format != recordFormat {
		return nil, fmt.Errorf("%w: %s has the format %q, not %q", errForeign, recordName, r.Format, recordFormat)
	}
	return &r, nil
}

// record is the record of the bundle that is published, nil if there is none.
// Something in its place that is not ours is a destination.Error.
func (b *Bundle) record(ctx context.Context) (*record, error) {
	bag, err := b.vault.published(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		defer bag.Close()
		var r *record
		if r, err = readRecord(bag); err == nil {
			return r, nil
		}
	}
	if isForeign(err) {
		return nil, misconfigured("read bundle "+b.vault.where(), fmt.Errorf("%w: %w", errForeign, err),
			"move it away, or change the account's name or url in the accounts file")
	}
	return nil, err
}

// intact tells whether the files have the sizes that the record says. What is
// in them is for a check that reads all of it.
func (r *record) intact(bag fs.FS) bool {
	for _, t := range r.Tables {
		for _, f := range t.Files {
			info, err := fs.Stat(bag, f.Path)
			if err != nil || info.Size() != f.Bytes {
				return false
			}
		}
	}
	return true
}

func (p recordedPart) ref() destination.PartRef {
	return destination.PartRef{Partition: p.Partition, Pass: p.Pass}
}

// part is the part of that name in the bundle, nil if there is none.
func (r *record) part(ref destination.PartRef) *recordedPart {
	for i := range r.Parts {
		if r.Parts[i].ref() == ref {
			return &r.Parts[i]
		}
	}
	return nil
}

func (p storedPart) recorded() recordedPart {
	if p.gone != nil {
		return *p.gone
	}
	rows := map[string]int64{}
	for _, s := range p.Sections {
		rows[s.View] += s.Rows
	}
	return recordedPart{Partition: p.Partition, Pass: p.Pass, After: p.After, UpTo: p.UpTo, Rows: rows, digest: p.digest()}
}

func (p recordedPart) equal(q recordedPart) bool {
	return p.ref() == q.ref() && p.digest == q.digest && maps.Equal(p.Rows, q.Rows)
}
