package source

import (
	"context"
	"io"

	"farewell/migration"
)

// streamStep is how many rows of a stream pass between two looks at the pace,
// at most: fewer when the pace is slow, since a stream must not stand still.
const streamStep = 250

// Governed is a Source whose reads of records keep a governor's pace. What it
// does not list itself is small.
type Governed struct {
	*Source
	*Governor
}

// ask makes one read in the governor's pace, and notes whether it was answered.
func (g Governed) ask(ctx context.Context, customer string, read func() (rows int, err error)) error {
	end, err := g.begin(ctx, customer)
	if err != nil {
		return err
	}
	answered := g.outage.begin()
	rows, err := read()
	answered(err)
	end(rows)
	return err
}

// Page is Source's, asked for again for a while when the source is down.
func (g Governed) Page(ctx context.Context, q PageQuery) (page migration.Page, err error) {
	err = outlast(ctx, func() error {
		return g.ask(ctx, q.Customer, func() (int, error) {
			page, err = g.Source.Page(ctx, q)
			return rowsOf(page), err
		})
	})
	return page, err
}

func rowsOf(p migration.Page) int {
	rows := p.Len()
	for i := range p.Tickets {
		rows += len(p.Tickets[i].Attachments)
		for j := range p.Tickets[i].Comments {
			rows += 1 + len(p.Tickets[i].Comments[j].Attachments)
		}
	}
	return rows
}

// Count is Source's.
func (g Governed) Count(ctx context.Context, customer string, e migration.Entity) (n int64, err error) {
	err = g.ask(ctx, customer, func() (int, error) {
		n, err = g.Source.Count(ctx, customer, e)
		return 0, err
	})
	return n, err
}

// Cut is Source's.
func (g Governed) Cut(ctx context.Context, customer string, e migration.Entity, size int) (cut []migration.Partition, err error) {
	err = g.ask(ctx, customer, func() (int, error) {
		cut, err = g.Source.Cut(ctx, customer, e, size)
		return 0, err
	})
	return cut, err
}

// IDs is Source's. Rows of ids alone are not counted: ten of them cost less
// than one record.
func (g Governed) IDs(ctx context.Context, customer string, p migration.Partition) (listed []migration.Listed, err error) {
	err = g.ask(ctx, customer, func() (int, error) {
		listed, err = g.Source.IDs(ctx, customer, p)
		return len(listed) / 10, err
	})
	return listed, err
}

// CopyPart is Source's. The stream itself is held to the pace.
func (g Governed) CopyPart(ctx context.Context, q PartQuery, open func(view string) (io.Writer, error)) (PartRows, error) {
	end, err := g.begin(ctx, q.Customer)
	if err != nil {
		return PartRows{}, err
	}
	rows, step := 0, g.step()
	defer func() { end(rows) }()
	return g.Source.copyPart(ctx, q, open, func() error {
		if rows++; rows < step {
			return nil
		}
		g.spend(ctx, rows)
		rows, step = 0, g.step()
		return g.rest(ctx)
	})
}

// Hardest is Source's.
func (g Governed) Hardest(ctx context.Context, customer string, n int) (ids []string, err error) {
	err = g.ask(ctx, customer, func() (int, error) {
		ids, err = g.Source.Hardest(ctx, customer, n)
		return len(ids), err
	})
	return ids, err
}
