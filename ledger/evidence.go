package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"farewell/migration"
)

const recordSQL = "select farewell_ledger.record(" + theMigration + ", $4, false, $5, $6, $7, $8, $9, $10, $11, $12, $13)"

// Record appends what became known about a batch. It needs no hold: evidence is
// taken from any attempt, before and after the settlement. e.At is set by the
// ledger. Writing the same again adds nothing.
func (l *Ledger) Record(ctx context.Context, m migration.Migration, batchID string, e migration.Evidence) error {
	ctx, cancel := l.bound(ctx)
	defer cancel()
	op := "record evidence of batch " + batchID
	if e.Kind == "" {
		return fmt.Errorf("ledger: %s: it has no kind", op)
	}
	args, err := evidenceArgs(&e, nil)
	if err != nil {
		return fmt.Errorf("ledger: %s: %w", op, err)
	}
	var known bool
	err = l.write(ctx, &write{place: m.String(), statements: []statement{{recordSQL, key(m, append([]any{batchID}, args...)...), func(row pgx.Row) error {
		return row.Scan(&known)
	}}}})
	if err == nil && !known {
		err = errors.New("the ledger knows nothing of " + m.String())
	}
	if err != nil {
		return failed(op, err)
	}
	return nil
}

// evidenceArgs are kind, digest, job, note, the four columns of the items, and
// whether the settlement holds all of them. Items that are just those of the
// settlement have no columns of their own. No evidence is an empty kind.
func evidenceArgs(e *migration.Evidence, settled []migration.Item) ([]any, error) {
	if e == nil {
		e = &migration.Evidence{}
	}
	items := e.Items
	leftOut := len(items) > 0 && !slices.ContainsFunc(items, hasReason) && contains(settled, items)
	if leftOut && slices.Equal(items, settled) {
		items = nil
	}
	c, err := toColumns(items)
	if err != nil {
		return nil, err
	}
	return []any{string(e.Kind), digest(*e), clean(e.JobID), clean(e.Note), c.sources, c.outcomes, c.targets, c.problems, leftOut}, nil
}

func hasReason(item migration.Item) bool { return item.Code != "" || item.Text != "" }

// OwnsJobs tells which of the jobs the ledger knows as its own, over all
// migrations. Those that it does not know are missing from the answer.
func (l *Ledger) OwnsJobs(ctx context.Context, jobIDs []string) (map[string]bool, error) {
	ctx, cancel := l.bound(ctx)
	defer cancel()
	rows, err := l.pool.Query(ctx, "select distinct job_id from evidence where job_id = any($1)", jobIDs)
	if err != nil {
		return nil, failed("look up jobs", err)
	}
	owned := make(map[string]bool, len(jobIDs))
	var id string
	if _, err := pgx.ForEachRow(rows, []any{&id}, func() error { owned[id] = true; return nil }); err != nil {
		return nil, failed("look up jobs", err)
	}
	return owned, nil
}
