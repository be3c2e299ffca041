package csvbundle

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"farewell/destination"
)

// gather lists the parts of the bundle in their order.
func (b *Bundle) gather(ctx context.Context, op string, in destination.PublishInput, old *record) ([]storedPart, error) {
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
		part, err := b.findPart(ctx, op, ref, old)
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
func (b *Bundle) findPart(ctx context.Context, op string, ref destination.PartRef, old *record) (storedPart, error) {
	part, err := b.storedPart(ctx, ref)
	if err == nil && part.Form != b.form.ofParts() {
		return part, misconfigured(op, fmt.Errorf("part %s pass %d was written when the account's url had other options (compress, raw, excel)", ref.Partition, ref.Pass),
			"put the options back as they were; to export afresh with the new ones, drop the migration from the ledger and move "+b.vault.staging()+" away")
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return part, err
	}
	if old == nil || old.part(ref) == nil {
		return storedPart{}, b.missingPart(op, ref, err)
	}
	p := old.part(ref)
	return storedPart{Migration: old.Migration, Partition: p.Partition, Pass: p.Pass, After: p.After, UpTo: p.UpTo, gone: p}, nil
}

func (b *Bundle) missingPart(op string, ref destination.PartRef, err error) error {
	return refused(op, "part missing", fmt.Errorf("part %s pass %d is not complete in %s: %w", ref.Partition, ref.Pass, b.vault.staging(), err),
		"bring it back if it was deleted or moved; else export the partition again")
}

func sameParts(old []recordedPart, parts []storedPart) bool {
	return slices.EqualFunc(old, parts, func(o recordedPart, p storedPart) bool { return o.equal(p.recorded()) })
}
