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
	settled, err := a.Ledger.Parts(ctx, in.Migration)
	if err != nil {
		return migration.PublishOutcome{}, fmt.Errorf("list the parts of %s: %w", in.Migration, err)
	}
	parts := make([]destination.PartRef, len(settled))
	for i, p := range settled {
		parts[i] = destination.PartRef{Partition: p.Partition, Pass: p.Pass}
	}
	bundle, err := dest.Publish(ctx, destination.PublishInput{Migration: in.Migration, Parts: parts, AsOf: plan.AsOf})
	if err != nil {
		return migration.PublishOutcome{}, fmt.Errorf("publish the bundle of %s: %w", in.Migration, err)
	}
	return migration.PublishOutcome{Path: bundle.Path, Rows: bundle.Rows}, nil
}
