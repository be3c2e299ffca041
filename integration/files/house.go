package main

import (
	"context"

	"farewell/attachment"
	"farewell/destination"
	"farewell/destination/zendesk"
	"farewell/migration"
)

const plan = 100_000 // requests a minute: this measures bytes, not budgets

// house is what brings files: the product's own parts, without Temporal.
type house struct {
	files   *attachment.Store
	account *zendesk.Account
}

func open(ctx context.Context, address string, origins ...string) (*house, error) {
	timings := migration.DefaultTimings().Scaled(20)
	files, err := attachment.Open(ctx, attachment.Options{Origins: origins, Timings: timings})
	if err != nil {
		return nil, err
	}
	account, err := zendesk.Open(zendesk.Options{Timings: timings, Account: destination.Account{
		Name: "acme", Customer: "acme", Kind: migration.DestinationZendesk, URL: address, PlanPerMinute: plan,
		Auth: zendesk.AuthBearer, Secret: func() (string, error) { return "sandbox-acme", nil },
	}})
	if err != nil {
		return nil, err
	}
	return &house{files, account}, nil
}

func (h *house) close() {
	_ = h.account.Close() // what counts has been measured
	_ = h.files.Close()
}

func (h *house) prepare(ctx context.Context, page migration.Page) (destination.Parcel, error) {
	return h.account.Prepare(ctx, destination.PrepareInput{
		Entity: migration.Tickets, Partition: "tickets-0001", Page: page,
		Directory: func(context.Context, migration.Entity, []string) (map[string]migration.Target, error) {
			return nil, nil
		},
		OpenFile: func(ctx context.Context, a migration.Attachment) (destination.File, error) {
			return h.files.Open(ctx, "acme", a)
		},
	})
}
