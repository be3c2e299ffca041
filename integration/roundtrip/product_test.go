package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"farewell/destination"
	"farewell/destination/zendesk"
	"farewell/integration/roundtrip/judge"
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
func (d *direct) prepare(ctx context.Context, a *zendesk.Account, in destination.PrepareInput) (destination.Parcel, error) {
	in.Partition, in.Level, in.Directory = string(in.Entity)+"-0001", migration.SingleLevel, d.directory
	parcel, err := a.Prepare(ctx, in)
	if err != nil {
		return parcel, fmt.Errorf("prepare %s: %w", in.Entity, err)
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

// through brings a ticket as Prepare makes it ready, without a rule ("": with
// all of them), and judges it.
func (d *direct) through(t *testing.T, ticket judge.Ticket, in destination.PrepareInput, off migration.Rule) (changes []migration.Change, unlisted []string) {
	t.Helper()
	a, err := d.open(off)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	in.Entity, in.Page = migration.Tickets, migration.Page{Tickets: []migration.Ticket{record(ticket)}}
	parcel, err := d.prepare(t.Context(), a, in)
	if err != nil {
		t.Fatal(err)
	}
	got, refused, err := d.importTicket(t.Context(), parcel.Body, parcel.Changes)
	if err != nil {
		t.Fatal(err)
	}
	if refused != "" {
		return parcel.Changes, []string{refused}
	}
	return parcel.Changes, d.judge(ticket, got).Unlisted
}

// cannotDoWithout shows that a ticket arrives as it is or is listed, and that
// without the rule it does neither. With "" for a rule, it shows that a ticket
// arrives as it is and nothing is listed.
func cannotDoWithout(t *testing.T, rule migration.Rule, bring func(off migration.Rule) ([]migration.Change, []string)) {
	t.Helper()
	changes, unlisted := bring("")
	if len(unlisted) > 0 {
		t.Errorf("with it: %q", unlisted)
	}
	if rule == "" {
		if len(changes) > 0 {
			t.Errorf("changes %v", changes)
		}
		return
	}
	if !slices.ContainsFunc(changes, func(c migration.Change) bool { return c.Rule == rule }) {
		t.Errorf("it does not need the rule: %v", changes)
	}
	if _, unlisted := bring(rule); len(unlisted) == 0 {
		t.Error("without it, it arrived as it is at the source")
	}
}
