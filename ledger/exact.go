package ledger

import (
	"bytes"
	"context"
	"hash/maphash"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"farewell/migration"
)

// exactSQL lists every batch as it is now: what was decided in it, whether by
// run $4, and in which order; of one that is open, whether it is in doubt.
// now() does not move while both looks are taken.
const exactSQL = `
	select p.entity, i.source_ids, coalesce(s.outcomes, ''), coalesce(s.seq, 0), coalesce(s.run_id = r.id, false),
		s.seq is null and (d.doubtful or not d.answered and i.send_by < now())
	from intents i
	join partitions p on p.id = i.partition_id
	left join runs r on r.migration_id = i.migration_id and r.run = $4
	left join settlements s on s.migration_id = i.migration_id and s.batch_id = i.batch_id
	cross join lateral (
		select count(*) > 0 as answered, coalesce(bool_or(e.kind = 'unanswered'), false) as doubtful
		from evidence e
		where s.seq is null and e.migration_id = i.migration_id and e.batch_id = i.batch_id
	) d
	where i.migration_id = ` + theMigration

// hashesKept bounds the memory of a count, for each entity: 2 MB for so many.
// Above them, the batches are read once more for each as many.
const hashesKept = 1 << 17

// ExactCounts is Counts made from the batches themselves, by distinct source
// id: it relies on no sum and no order of reading. It is what a run's end is
// judged by. It takes about a second for a million records, and a few MB of
// memory; about 100 bytes more for each that was in several batches.
func (l *Ledger) ExactCounts(ctx context.Context, m migration.Migration, run string) (migration.EntityCounts, error) {
	ctx, cancel := l.bound(ctx)
	defer cancel()
	seed := maphash.MakeSeed()
	entities := map[migration.Entity]*census{}
	of := func(e migration.Entity) *census {
		if entities[e] == nil {
			entities[e] = newCensus(func(id []byte) uint64 { return maphash.Bytes(seed, id) }, hashesKept)
		}
		return entities[e]
	}
	err := pgx.BeginTxFunc(ctx, l.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		for more := true; more; {
			if err := eachBatch(ctx, tx, key(m, run), func(b countedBatch) { of(b.entity).look(b) }); err != nil {
				return err
			}
			more = false
			for _, c := range entities {
				more = c.turn() || more
			}
		}
		if !slices.ContainsFunc(slices.Collect(maps.Values(entities)), (*census).unsure) {
			return nil
		}
		return eachBatch(ctx, tx, key(m, run), func(b countedBatch) { of(b.entity).lookAgain(b) })
	})
	if err != nil {
		return nil, failed("count exactly "+m.String(), err)
	}
	counts := migration.EntityCounts{}
	for e, c := range entities {
		counts[e] = c.sum()
	}
	return counts, nil
}

func eachBatch(ctx context.Context, tx pgx.Tx, args []any, fn func(countedBatch)) error {
	rows, err := tx.Query(ctx, exactSQL, args...)
	if err != nil {
		return err
	}
	var b countedBatch
	_, err = pgx.ForEachRow(rows, []any{&b.entity, (*pgtype.DriverBytes)(&b.ids), (*pgtype.DriverBytes)(&b.outcomes), &b.settled, &b.mine, &b.doubtful}, func() error {
		fn(b)
		return nil
	})
	return err
}

// countedBatch is a row of exactSQL.
type countedBatch struct {
	entity   migration.Entity
	ids      []byte // with separators; of the row alone, as outcomes
	outcomes []byte // empty: the batch is open
	settled  int64  // the settlement's place among all; 0: open
	mine     bool
	doubtful bool
}

// census counts the records of an entity, of which it is told batch by batch.
// At first all are counted as if each were in one batch only, and the hashes
// that came more than once are noted: that of a record that is in several
// batches is among them. That takes several looks, when there are more hashes
// than are kept at a time. The last look takes off what has such a hash, and
// counts it by its id.
type census struct {
	hash     func(id []byte) uint64
	most     int // hashes that are kept
	counts   migration.Counts
	counted  bool   // there was a look
	part     hashes // whose turn it is
	later    []hashes
	over     bool // no part is left
	seen     hashSet
	repeated map[uint64]struct{}
	records  map[string]standing // those with a repeated hash
}

func newCensus(hash func(id []byte) uint64, most int) *census {
	return &census{hash: hash, most: most, repeated: map[uint64]struct{}{}, records: map[string]standing{}}
}

// hashes are those whose first bits are n.
type hashes struct {
	n    uint64
	bits int
}

func (p hashes) has(h uint64) bool { return h>>(64-p.bits) == p.n }

// standing is what a batch says of a record.
type standing struct {
	outcome  migration.Outcome // 0: the batch is open
	settled  int64
	mine     bool
	doubtful bool
}

func (c *census) look(b countedBatch) {
	if c.over {
		return
	}
	b.each(func(id []byte, s standing) {
		if !c.counted {
			s.count(&c.counts, 1)
		}
		h := c.hash(id)
		if !c.part.has(h) {
			return
		}
		if !c.seen.add(h) {
			c.repeated[h] = struct{}{}
		}
		for c.seen.n > c.most && c.part.bits < 64 {
			c.halve()
		}
	})
}

// halve leaves half of the hashes to a later look.
func (c *census) halve() {
	n, bits := 2*c.part.n, c.part.bits+1
	c.part, c.later = hashes{n, bits}, append(c.later, hashes{n + 1, bits})
	c.seen.keep(c.part.has)
}

// turn ends a look, and tells whether there must be another one.
func (c *census) turn() bool {
	c.counted, c.seen = true, hashSet{}
	last := len(c.later) - 1
	if last < 0 {
		c.over = true
		return false
	}
	c.part, c.later = c.later[last], c.later[:last]
	return true
}

// unsure tells whether the second look is needed.
func (c *census) unsure() bool { return len(c.repeated) > 0 }

func (c *census) lookAgain(b countedBatch) {
	if !c.unsure() {
		return
	}
	b.each(func(id []byte, s standing) {
		if _, repeated := c.repeated[c.hash(id)]; !repeated {
			return
		}
		s.count(&c.counts, -1)
		if known, ok := c.records[string(id)]; !ok || s.overrides(known) {
			c.records[string(id)] = s
		}
	})
}

func (c *census) sum() migration.Counts {
	sum := c.counts
	for _, s := range c.records {
		s.count(&sum, 1)
	}
	return sum
}

// each calls fn for every record of the batch. The id is valid until it returns.
func (b countedBatch) each(fn func(id []byte, s standing)) {
	ids := b.ids
	for n, more := 0, true; more; n++ {
		var id []byte
		id, ids, more = bytes.Cut(ids, []byte(separator))
		s := standing{settled: b.settled, mine: b.mine, doubtful: b.doubtful}
		if n < len(b.outcomes) {
			s.outcome = migration.Outcome(b.outcomes[n])
		}
		fn(id, s)
	}
}

// overrides tells which of two batches speaks for a record that is in both: the
// open one, and of two such the one in doubt; else one that sent it; else the
// one that was settled later.
func (s standing) overrides(other standing) bool {
	if open, otherOpen := s.settled == 0, other.settled == 0; open || otherOpen {
		return open && (!otherOpen || s.doubtful)
	}
	if sent, otherSent := s.outcome != migration.NotSent, other.outcome != migration.NotSent; sent != otherSent {
		return sent
	}
	return s.settled > other.settled
}

// count adds n such records.
func (s standing) count(c *migration.Counts, n int64) {
	c.Read += n
	switch {
	case s.doubtful:
		c.InDoubt += n
	case s.outcome == migration.Created && s.mine:
		c.Created += n
	case s.outcome == migration.Created, s.outcome == migration.AlreadyThere:
		c.AlreadyThere += n
	case s.outcome == migration.Skipped:
		c.Skipped += n
	case s.outcome == migration.Failed:
		c.Failed += n
	}
}

// hashSet is a set of hashes in 11 to 22 bytes each.
type hashSet struct {
	slots []uint64 // 0: free; the length is a power of two
	n     int
}

// add tells whether h was not in the set. It may take two hashes for the same
// one, which a set of hashes is prepared for.
func (s *hashSet) add(h uint64) bool {
	if 4*s.n >= 3*len(s.slots) {
		s.grow()
	}
	h = max(h, 1)
	mask := uint64(len(s.slots) - 1)
	for at := h & mask; ; at = (at + 1) & mask {
		switch s.slots[at] {
		case h:
			return false
		case 0:
			s.slots[at] = h
			s.n++
			return true
		}
	}
}

func (s *hashSet) grow() { s.move(max(1024, 2*len(s.slots)), func(uint64) bool { return true }) }

// keep removes the others.
func (s *hashSet) keep(of func(h uint64) bool) { s.move(len(s.slots), of) }

// move puts those for which keep holds into so many slots.
func (s *hashSet) move(slots int, keep func(h uint64) bool) {
	old := s.slots
	s.slots, s.n = make([]uint64, slots), 0
	for _, h := range old {
		if h != 0 && keep(h) {
			s.add(h)
		}
	}
}
