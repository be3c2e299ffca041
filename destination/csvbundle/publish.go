package csvbundle

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"farewell/destination"
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
	op := "publish bundle " + b.target()
	unlock, err := b.lockPublishing()
	if err != nil {
		return destination.Bundle{}, b.failure(op, err)
	}
	defer unlock()
	m, err := b.publish(ctx, op, in)
	if err != nil {
		return destination.Bundle{}, b.failure(op, err)
	}
	return destination.Bundle{Path: b.target(), Rows: m.rows()}, nil
}

func (b *Bundle) publish(ctx context.Context, op string, in destination.PublishInput) (*manifest, error) {
	if err := b.repair(); err != nil {
		return nil, err
	}
	old, err := b.published()
	if err != nil {
		return nil, err
	}
	parts, err := b.gather(op, in, old)
	if err != nil {
		return nil, err
	}
	if old != nil && sameParts(old.Parts, parts) && old.intact(b.target()) {
		return old, b.tidy(parts)
	}
	fresh := filepath.Join(b.root, b.publishingPrefix()+randomSuffix())
	m, err := b.assemble(ctx, op, fresh, in, parts)
	if err != nil {
		// What is left of it helps nobody, and a full disk needs the space.
		return nil, errors.Join(err, b.failure(op+": clean up", removeFolder(b.disk, fresh)))
	}
	if err := b.swap(fresh); err != nil {
		return nil, err
	}
	return m, b.tidy(parts)
}

// gather lists the parts of the bundle in their order.
func (b *Bundle) gather(op string, in destination.PublishInput, old *manifest) ([]storedPart, error) {
	var refs []destination.PartRef
	if old != nil {
		if err := b.belongs(op, old.Migration, in.Migration); err != nil {
			return nil, err
		}
		for _, p := range old.Parts {
			if !slices.Contains(in.Parts, p.ref()) {
				refs = append(refs, p.ref())
			}
		}
	}
	refs = append(refs, in.Parts...)

	parts := make([]storedPart, 0, len(refs))
	seen := make(map[destination.PartRef]bool, len(refs))
	for _, ref := range refs {
		if seen[ref] {
			return nil, refused(op, "part named twice", fmt.Errorf("part %s pass %d is named twice: its records would be in the bundle twice", ref.Partition, ref.Pass), "")
		}
		seen[ref] = true
		part, err := b.findPart(op, ref, old)
		if err != nil {
			return nil, err
		}
		if err := b.belongs(op, part.Migration, in.Migration); err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	return parts, nil
}

// findPart describes a part: one that is stored or, if it was deleted since,
// one of the published bundle. That will do as long as nothing is to be added.
func (b *Bundle) findPart(op string, ref destination.PartRef, old *manifest) (storedPart, error) {
	part, err := b.storedPart(ref)
	if !errors.Is(err, fs.ErrNotExist) {
		return part, err
	}
	if old == nil || old.part(ref) == nil {
		return storedPart{}, b.missingPart(op, ref, err)
	}
	p := old.part(ref)
	return storedPart{Migration: old.Migration, Partition: p.Partition, Pass: p.Pass, After: p.After, UpTo: p.UpTo, Files: p.Files}, nil
}

func (b *Bundle) missingPart(op string, ref destination.PartRef, err error) error {
	return refused(op, "part missing", fmt.Errorf("part %s pass %d is not complete in %s: %w", ref.Partition, ref.Pass, b.staging(), err),
		"bring the folder back if it was deleted or moved; else export the partition again")
}

func sameParts(old []manifestPart, parts []storedPart) bool {
	return slices.EqualFunc(old, parts, func(o manifestPart, p storedPart) bool {
		return o.ref() == p.ref() && maps.Equal(o.Files, p.Files)
	})
}

// assemble makes the complete bundle in a folder of its own, the manifest last.
func (b *Bundle) assemble(ctx context.Context, op, folder string, in destination.PublishInput, parts []storedPart) (*manifest, error) {
	if err := b.disk.Mkdir(folder); err != nil {
		return nil, err
	}
	m := &manifest{Format: manifestFormat, Migration: in.Migration, AsOf: in.AsOf.UTC()}
	for _, p := range parts {
		m.Parts = append(m.Parts, manifestPart{Partition: p.Partition, Pass: p.Pass, After: p.After, UpTo: p.UpTo, Files: p.Files})
	}
	for _, view := range fileViews() {
		f, err := b.concatenate(ctx, op, folder, view, parts)
		if err != nil {
			return nil, err
		}
		m.Files = append(m.Files, f)
	}
	if err := writeSmall(b.disk, filepath.Join(folder, readmeName), []byte(readme)); err != nil {
		return nil, err
	}
	content, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, err
	}
	if err := writeSmall(b.disk, filepath.Join(folder, manifestName), append(content, '\n')); err != nil {
		return nil, err
	}
	return m, b.disk.SyncFolder(folder)
}

// concatenate writes one CSV file: the header row, then every part's rows.
func (b *Bundle) concatenate(ctx context.Context, op, folder, view string, parts []storedPart) (manifestFile, error) {
	f := manifestFile{Name: fileName(view), Columns: b.columns(view)}
	s, err := createSegment(b.disk, filepath.Join(folder, f.Name))
	if err != nil {
		return f, err
	}
	if _, err := s.Write(headerRow(f.Columns)); err != nil {
		s.abandon()
		return f, err
	}
	for _, p := range parts {
		stored, ok := p.Files[view]
		if !ok {
			continue
		}
		if err := b.appendPart(ctx, op, s, p, view); err != nil {
			s.abandon()
			return f, err
		}
		f.Rows += stored.Rows
	}
	f.digest, err = s.finish()
	return f, err
}

// appendPart copies one view of a part, and refuses it when it is not what was
// written.
func (b *Bundle) appendPart(ctx context.Context, op string, to *segment, p storedPart, view string) error {
	path := filepath.Join(b.staging(), p.Folder, fileName(view))
	from, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return b.missingPart(op, p.ref(), err)
	}
	if err != nil {
		return err
	}
	defer from.Close()
	hash := sha256.New()
	n, err := io.CopyBuffer(io.MultiWriter(to, hash), reading{ctx, from}, make([]byte, bufferSize))
	if err != nil {
		return err
	}
	if found := (digest{Bytes: n, SHA256: hex.EncodeToString(hash.Sum(nil))}); found != p.Files[view].digest {
		return refused(op, "part damaged", fmt.Errorf("%s is not what was written: %d bytes with another SHA-256, or another length than %d", path, n, p.Files[view].Bytes),
			"look at the disk; bring the file back from a copy, or export the partition again")
	}
	return nil
}

// reading ends a long copy when nobody waits for it any more.
type reading struct {
	ctx  context.Context
	from io.Reader
}

func (r reading) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.from.Read(p)
}

// headerRow quotes a column's name where CSV demands it.
func headerRow(columns []string) []byte {
	var row bytes.Buffer
	for i, c := range columns {
		if i > 0 {
			row.WriteByte(',')
		}
		if !bytes.ContainsAny([]byte(c), "\",\r\n") {
			row.WriteString(c)
			continue
		}
		row.WriteByte('"')
		row.Write(bytes.ReplaceAll([]byte(c), []byte(`"`), []byte(`""`)))
		row.WriteByte('"')
	}
	row.WriteByte('\n')
	return row.Bytes()
}
