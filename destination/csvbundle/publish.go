package csvbundle

import (
	"context"
	"errors"

	"farewell/destination"
	"farewell/migration"
)

// Publish implements destination.Streams. Killed at any moment, it leaves the
// old bundle, the new one or none under the bundle's name, never a mixture;
// the next Publish repairs what it left.
//
// Parts that the published bundle holds and that in.Parts does not name stay
// in it, before the named ones: a ledger that was lost and rebuilt names no
// parts of earlier runs, and nothing is ever taken out of a bundle. When the
// published bundle has exactly these parts already, nothing is written.
func (b *Bundle) Publish(ctx context.Context, in destination.PublishInput) (destination.Bundle, error) {
	op := "publish bundle " + b.vault.where()
	unlock, err := b.vault.lock(ctx)
	if err != nil {
		return destination.Bundle{}, b.failure(op, err)
	}
	defer unlock()
	r, err := b.publish(ctx, op, in)
	if err != nil {
		return destination.Bundle{}, b.failure(op, err)
	}
	return destination.Bundle{Path: b.vault.where(), Rows: r.rows()}, nil
}

func (b *Bundle) publish(ctx context.Context, op string, in destination.PublishInput) (*record, error) {
	// What is in the way ends it here: what was moved away may be the only
	// bundle that there is.
	if _, err := b.record(ctx); err != nil {
		return nil, err
	}
	if err := b.vault.repair(ctx); err != nil {
		return nil, err
	}
	old, err := b.record(ctx)
	if err != nil {
		return nil, err
	}
	parts, err := b.gather(ctx, op, in, old)
	if err != nil {
		return nil, err
	}
	keep := map[string]string{}
	for _, p := range parts {
		keep[partKey(p.ref())] = p.Try
	}
	if old != nil && old.Form == b.form && sameParts(old.Parts, parts) {
		same, err := b.intact(ctx, old)
		if err != nil {
			return nil, err
		}
		if same {
			return old, b.tidy(ctx, parts, keep)
		}
	}
	var made *record
	err = b.vault.publish(ctx, func(s shelf) error {
		made, err = b.assemble(ctx, op, s, in, parts)
		return err
	})
	if err != nil {
		return nil, err
	}
	return made, b.tidy(ctx, parts, keep)
}

// tidy deletes what nobody needs once the parts are published.
func (b *Bundle) tidy(ctx context.Context, parts []storedPart, keep map[string]string) error {
	return errors.Join(b.vault.tidy(ctx, keep), b.dropUnused(ctx, parts))
}

func (b *Bundle) intact(ctx context.Context, r *record) (bool, error) {
	bag, err := b.vault.published(ctx)
	if err != nil {
		return false, err
	}
	defer bag.Close()
	return r.intact(bag), nil
}

// assemble writes the complete bundle, the manifest last.
func (b *Bundle) assemble(ctx context.Context, op string, s shelf, in destination.PublishInput, parts []storedPart) (*record, error) {
	lost, err := b.missing(ctx, parts)
	if err != nil {
		return nil, err
	}
	r := &record{Format: recordFormat, Migration: in.Migration, AsOf: in.AsOf.UTC(), Form: b.form}
	for _, p := range parts {
		r.Parts = append(r.Parts, p.recorded())
	}
	w := newBagWriter(s)
	var files []fileJob
	for _, t := range tables() {
		columns := in.Columns[t.name]
		if t.name == filesTable {
			if !hasFiles(parts) {
				continue
			}
			columns = fileColumns(in.Columns[string(migration.Attachments)])
		}
		table, jobs, err := b.cut(op, t, columns, parts, lost[t.name])
		if err != nil {
			return nil, err
		}
		r.Tables = append(r.Tables, table)
		files = append(files, jobs...)
	}
	if err := b.writeFiles(ctx, op, w, r, files); err != nil {
		return nil, err
	}
	all := faults(parts, lost)
	if hasFiles(parts) {
		if err := b.writeAttachments(ctx, op, s, parts); err != nil {
			return nil, err
		}
		files, err := b.fileFaults(ctx, parts)
		if err != nil {
			return nil, err
		}
		all = append(all, files...)
		w.attachments = func(do func(string, digest) error) error {
			return b.eachFile(ctx, parts, func(_ storedPart, f listedFile) error {
				if f.path == "" {
					return nil
				}
				return do(f.path, f.digest)
			})
		}
	}
	return r, w.complete(r, all)
}
