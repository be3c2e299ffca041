package csvbundle

import (
	"context"
	"maps"
	"slices"

	"farewell/destination"
	"farewell/migration"
)

// Missing implements destination.Streams.
func (b *Bundle) Missing(ctx context.Context, in destination.PublishInput) (map[migration.Entity][]string, error) {
	op := "look who is missing in bundle " + b.vault.where()
	old, err := b.record(ctx)
	if err != nil {
		return nil, b.failure(op, err)
	}
	parts, err := b.gather(ctx, op, in, old)
	if err != nil {
		return nil, b.failure(op, err)
	}
	lost, err := b.missing(ctx, parts)
	if err != nil {
		return nil, b.failure(op, err)
	}
	missing := map[migration.Entity][]string{}
	for _, e := range people() {
		for _, id := range lost[string(e)] {
			if !b.form.Raw {
				id = unguard(id)
			}
			missing[e] = append(missing[e], id)
		}
	}
	return missing, nil
}

// missing lists, by table and in the form that the files have, the ids that
// the parts name and do not hold. It keeps no more than 16 bytes of who is
// there; people come before those who name them, so hardly anybody is awaited.
func (b *Bundle) missing(ctx context.Context, parts []storedPart) (map[string][]string, error) {
	have, awaited := map[string]idSet{}, map[string]map[[16]byte]string{}
	for _, e := range people() {
		have[string(e)], awaited[string(e)] = idSet{}, map[[16]byte]string{}
	}
	for _, p := range parts {
		if p.Try == "" {
			continue // deleted since it was published: whom it names is there
		}
		n, err := b.readPeople(ctx, p)
		if err != nil {
			return nil, err
		}
		for table, ids := range n.Have {
			for _, id := range ids {
				have[table].add(id)
				delete(awaited[table], idKey(id))
			}
		}
		for table, ids := range n.Named {
			for _, id := range ids {
				if !have[table].has(id) {
					awaited[table][idKey(id)] = id
				}
			}
		}
	}
	lost := map[string][]string{}
	for table, ids := range awaited {
		if len(ids) > 0 {
			lost[table] = slices.Sorted(maps.Values(ids))
		}
	}
	return lost, nil
}
