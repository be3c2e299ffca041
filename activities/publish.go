package activities

import (
	"context"
	"fmt"

	"farewell/destination"
	"farewell/migration"
)

// PublishBundle makes the bundle visible, when all its parts are written.
func (a *Activities) PublishBundle(ctx context.Context, in migration.PublishInput) (migration.PublishOutcome, error) {
	opened, err := a.Destinations.Open(ctx, in.Migration)
	if err != nil {
		return migration.PublishOutcome{}, err
	}
	dest, ok := opened.(destination.Streams)
	if !ok {
		return migration.PublishOutcome{}, fmt.Errorf("publish: destination %s makes no bundle", in.Migration.Destination)
	}
	pulse := startPulse(ctx, func() migration.Reason { return migration.Reason{Code: "publishing"} })
	defer pulse.stopBeating()
	plan, err := a.plan(ctx, in.Migration)
	if err != nil {
		return migration.PublishOutcome{}, err
	}
	columns, err := a.Source.Columns(ctx)
	if err != nil {
		return migration.PublishOutcome{}, fmt.Errorf("ask for the columns: %w", err)
	}
	publish := destination.PublishInput{Migration: in.Migration, AsOf: plan.AsOf, Columns: columns}
	if publish.Parts, err = a.parts(ctx, in.Migration); err != nil {
		return migration.PublishOutcome{}, err
	}
	if err := a.bringMissing(ctx, dest, in, &publish, pulse); err != nil {
		return migration.PublishOutcome{}, err
	}
	bundle, err := dest.Publish(ctx, publish)
	if err != nil {
		return migration.PublishOutcome{}, err // it says which bundle
	}
	counts, err := a.Ledger.Counts(ctx, in.Migration, in.Run)
	return migration.PublishOutcome{Path: bundle.Path, Rows: bundle.Rows, Counts: counts}, err
}

func (a *Activities) parts(ctx context.Context, m migration.Migration) ([]destination.PartRef, error) {
	settled, err := a.Ledger.Parts(ctx, m)
	if err != nil {
		return nil, fmt.Errorf("list the parts of %s: %w", m, err)
	}
	parts := make([]destination.PartRef, len(settled))
	for i, p := range settled {
		parts[i] = destination.PartRef{Partition: p.Partition, Pass: p.Pass}
	}
	return parts, nil
}

// bringMissing brings the people whom the parts name and do not hold, as parts
// of their own: somebody may have been made after the plan, and their ticket
// read in a catch-up. Users name organizations, so those come after them.
func (a *Activities) bringMissing(ctx context.Context, dest destination.Streams, in migration.PublishInput, publish *destination.PublishInput, pulse *pulse) error {
	missing, err := dest.Missing(ctx, *publish)
	if err != nil {
		return fmt.Errorf("look who is missing in the bundle of %s: %w", in.Migration, err)
	}
	if ids := missing[migration.Users]; len(ids) > 0 {
		if err := a.bring(ctx, dest, in, migration.OnDemand(migration.Users), ids, publish, pulse); err != nil {
			return err
		}
		if missing, err = dest.Missing(ctx, *publish); err != nil {
			return fmt.Errorf("look who is missing in the bundle of %s: %w", in.Migration, err)
		}
	}
	if ids := missing[migration.Organizations]; len(ids) > 0 {
		return a.bring(ctx, dest, in, migration.OnDemand(migration.Organizations), ids, publish, pulse)
	}
	return nil
}

func (a *Activities) bring(ctx context.Context, dest destination.Streams, in migration.PublishInput, p migration.Partition, ids []string, publish *destination.PublishInput, pulse *pulse) error {
	state, err := a.Ledger.TakeOver(ctx, in.Migration, p, in.Run)
	if err != nil {
		return fmt.Errorf("take over %s: %w", p.ID, err)
	}
	if err := a.settleRecorded(ctx, state); err != nil {
		return err
	}
	export := migration.ExportInput{Migration: in.Migration, Run: in.Run, Partition: p, Timings: migration.DefaultTimings()}
	if err := a.writePart(ctx, dest, export, state, ids, pulse); err != nil {
		return err
	}
	publish.Parts, err = a.parts(ctx, in.Migration)
	return err
}
