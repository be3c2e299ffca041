package activities

import (
	"context"
	"errors"
	"fmt"

	"farewell/destination"
	"farewell/migration"
)

// ExportPartition brings the records of one partition to their end: created,
// already there, skipped or failed. What an earlier attempt left open is
// settled first. It returns without an open job, unless the worker is stopping
// and a job takes longer than that may.
func (a *Activities) ExportPartition(ctx context.Context, in migration.ExportInput) (migration.ExportOutcome, error) {
	opened, err := a.Destinations.Open(ctx, in.Migration)
	if err != nil {
		return parkedOr(in, err)
	}
	var out migration.ExportOutcome
	switch dest := opened.(type) {
	case destination.Batches:
		out, err = a.exportBatches(ctx, dest, in)
	case destination.Streams:
		out, err = a.exportStream(ctx, dest, in)
	default:
		err = fmt.Errorf("export %s: destination %s takes neither batches nor streams", in.Partition.ID, in.Migration.Destination)
	}
	if err != nil {
		return parkedOr(in, err)
	}
	out.Counts, err = a.Ledger.PartitionCounts(context.WithoutCancel(ctx), in.Migration, in.Run, in.Partition.ID)
	return out, err
}

// parkedOr parks a partition whose error only an operator can heal; any other
// error is returned for Temporal to try again.
func parkedOr(in migration.ExportInput, err error) (migration.ExportOutcome, error) {
	if p, ok := parking(in.Partition.ID, err); ok {
		return migration.ExportOutcome{Parked: &p}, nil
	}
	return migration.ExportOutcome{}, err
}

// parking tells whether an error needs an operator.
func parking(partition string, err error) (migration.Parked, bool) {
	var d *destination.Error
	if !errors.As(err, &d) || (d.Kind != destination.Credentials && d.Kind != destination.Misconfigured) {
		return migration.Parked{}, false
	}
	fix := d.Fix
	if fix == "" {
		fix = "mend the account, then retry"
	}
	return migration.Parked{Partition: partition, Code: string(d.Kind), Text: d.Op + ": " + d.Code, Fix: fix}, true
}

func (a *Activities) exportBatches(ctx context.Context, dest destination.Batches, in migration.ExportInput) (migration.ExportOutcome, error) {
	l, err := a.startLane(ctx, dest, in, exportAll)
	if err != nil {
		return migration.ExportOutcome{}, err
	}
	defer l.end()
	if err := l.run(); err != nil {
		return migration.ExportOutcome{}, err
	}
	if out := l.halted(); out != nil {
		return *out, nil
	}
	if in.Limit == 0 {
		if err := a.Ledger.EndPartition(ctx, l.hold); err != nil {
			return migration.ExportOutcome{}, fmt.Errorf("end %s: %w", in.Partition.ID, err)
		}
	}
	return migration.ExportOutcome{Done: true}, nil
}
