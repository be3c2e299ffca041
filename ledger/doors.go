package ledger

import (
	"maps"
	"time"

	"github.com/jackc/pgx/v5"

	"farewell/migration"
)

// edgeKey names an account behind an egress.
type edgeKey struct{ egress, account string }

// doors are what the control channel says of egresses.
type doors struct {
	egresses map[string]migration.Egress
	blocks   map[edgeKey]time.Time
}

func newDoors() doors {
	return doors{egresses: make(map[string]migration.Egress), blocks: make(map[edgeKey]time.Time)}
}

// queue asks for all egresses, which are few, and for the accounts whose block
// has changed.
func (d doors) queue(b *pgx.Batch, since time.Time) {
	b.Queue(`
		select egress, coalesce(per_second, 0), state, since, account, evidence, failed, greatest(probe_at, '1970-01-01'), by_whom, why
		from egresses`).Query(func(rows pgx.Rows) error {
		var e migration.Egress
		_, err := pgx.ForEachRow(rows, []any{&e.Name, &e.PerSecond, &e.State, &e.Since, &e.Account, &e.Evidence, &e.Failed, &e.ProbeAt, &e.By, &e.Why},
			func() error { d.egresses[e.Name] = e; return nil })
		return err
	})
	b.Queue("select egress, account, until from edge_blocks where changed_at >= $1", since).Query(func(rows pgx.Rows) error {
		var k edgeKey
		var until time.Time
		_, err := pgx.ForEachRow(rows, []any{&k.egress, &k.account, &until}, func() error { d.blocks[k] = until; return nil })
		return err
	})
}

// hearDoors takes in what was read and wakes whoever waits for a change. now is
// the ledger's clock.
func (c *Controls) hearDoors(d doors, now time.Time) {
	ahead := time.Until(now)
	for name, e := range d.egresses {
		e.Since, e.ProbeAt = e.Since.Add(-ahead), e.ProbeAt.Add(-ahead)
		d.egresses[name] = e
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	before := len(c.blocks)
	moved := !maps.EqualFunc(c.egresses, d.egresses, sameDoor)
	c.egresses = d.egresses
	for k, until := range d.blocks {
		until = until.Add(-ahead)
		moved = moved || c.blocks[k].Sub(until).Abs() > time.Second
		c.blocks[k] = until
	}
	if moved || len(c.blocks) != before {
		close(c.changed)
		c.changed = make(chan struct{})
	}
}

func sameDoor(a, b migration.Egress) bool {
	return a.State == b.State && a.PerSecond == b.PerSecond && a.Failed == b.Failed
}

// hearBlock makes a block known here at once, unless the request was sent
// before the last change that is known.
func (c *Controls) hearBlock(k edgeKey, sent, until time.Time, evidence string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.egresses[k.egress]
	if (e.State == "" || e.State == migration.EgressOpen) && e.Since.Before(sent) {
		c.blocks[k] = until
		e.Name, e.State, e.Since, e.Account, e.Evidence = k.egress, migration.EgressBlocked, time.Now(), k.account, evidence
		e.ProbeAt = time.Now().Add(firstProbe)
		if c.egresses == nil {
			c.egresses = make(map[string]migration.Egress)
		} else {
			c.egresses = maps.Clone(c.egresses)
		}
		c.egresses[k.egress] = e
	}
	close(c.changed)
	c.changed = make(chan struct{})
}
