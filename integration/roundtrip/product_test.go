package main

import (
	"context"
	"fmt"
	"strings"

	"farewell/destination"
	"farewell/destination/zendesk"
	"farewell/mapping"
	"farewell/migration"
)

// open is the account as the product sees it, without a rule ("": with all of
// them).
func (d *direct) open(off migration.Rule) (*zendesk.Account, error) {
	return zendesk.Open(zendesk.Options{
		Account: destination.Account{
			Name: "direct", Customer: "direct", Kind: migration.DestinationZendesk,
			URL: strings.TrimSuffix(d.base, "/api/v2/"), PlanPerMinute: 2500,
			Auth: zendesk.AuthBearer, Secret: func() (string, error) { return d.token, nil },
		},
		Timings: migration.DefaultTimings().Scaled(factor), Off: map[migration.Rule]bool{off: true},
	})
}

// prepare encodes a page as the product does.
func (d *direct) prepare(ctx context.Context, a *zendesk.Account, e migration.Entity, page migration.Page, m *mapping.Mapping) (destination.Parcel, error) {
	parcel, err := a.Prepare(ctx, destination.PrepareInput{
		Entity: e, Partition: string(e) + "-0001", Page: page, Level: migration.SingleLevel, Mapping: m, Directory: d.directory,
	})
	if err != nil {
		return parcel, fmt.Errorf("prepare %s: %w", e, err)
	}
	return parcel, nil
}

func (d *direct) directory(_ context.Context, e migration.Entity, sourceIDs []string) (map[string]migration.Target, error) {
	known := map[migration.Entity]map[string]migration.Target{migration.Users: d.users, migration.Organizations: d.orgs}[e]
	found := map[string]migration.Target{}
	for _, id := range sourceIDs {
		if target, ok := known[id]; ok {
			found[id] = target
		}
	}
	return found, nil
}
