package ledger

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"farewell/migration"
)

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
	err = repeated(ctx, func() error {
		return l.pool.QueryRow(ctx, `
			with recorded as (
				insert into evidence (digest, migration_id, in_settlement, batch_id, kind, job_id, note, source_ids, outcomes, target_ids, problems)
				select $6, m.id, $13, $4, $5, nullif($7, ''), nullif($8, ''), $9::text[], nullif($10, ''), $11::text[], $12::jsonb
				from (select `+theMigration+` as id) m
				where m.id is not null and not exists (
					select from evidence e where e.migration_id = m.id and e.batch_id = $4 and e.kind = $5 and e.digest = $6)
			), marked as (
				update open_batches o set answered = true, doubtful = o.doubtful or $5 = 'unanswered'
				where o.migration_id = `+theMigration+` and o.batch_id = $4
			)
			select `+theMigration+` is not null`, key(m, append([]any{batchID}, args...)...)...).Scan(&known)
	})
	if err == nil && !known {
		err = errors.New("the ledger knows nothing of " + m.String())
	}
	if err != nil {
		return failed(op, err)
	}
	return nil
}

// evidenceArgs are kind, digest, job, note, the four columns of the items, and
// whether the settlement holds all of them. No evidence is an empty kind.
func evidenceArgs(e *migration.Evidence, settled []migration.Item) ([]any, error) {
	if e == nil {
		e = &migration.Evidence{}
	}
	c, err := toColumns(e.Items)
	if err != nil {
		return nil, err
	}
	leftOut := len(e.Items) > 0 && c.problems == nil && contains(settled, e.Items)
	return []any{string(e.Kind), digest(*e), clean(e.JobID), clean(e.Note), c.sources, c.outcomes, c.targets, c.problems, leftOut}, nil
}

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
