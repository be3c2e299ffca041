package main

import (
	"context"

	"farewell/sandbox/samplecrm"
)

// account is one in the sandbox.
type account struct{ name, url, token string }

// open makes an empty account that is so many times faster than Zendesk.
func (b *bench) open(ctx context.Context, name string, scale, perTicket float64) (account, error) {
	token, err := b.sandbox.SetAccount(ctx, name, map[string]any{
		"plan_per_minute":    plenty,
		"time_scale":         scale,
		"seconds_per_ticket": perTicket,
		"bulk_users":         true,
		"ticket_fields":      samplecrm.TicketFields(),
	})
	return account{name, b.sandbox.AccountURL(name), token}, err
}

// stats are what the account counted.
type stats struct {
	Tickets    int64            `json:"tickets"`
	Comments   int64            `json:"comments"`
	Users      int64            `json:"users"`
	Bytes      int64            `json:"bytes_in"`
	Peak       int64            `json:"peak_open_jobs"`
	ByEndpoint map[string]int64 `json:"requests_by_endpoint"`
	Refused    int64            `json:"answers_429"`
	Duplicates map[string]int64 `json:"duplicate_external_ids"`
}

func (b *bench) stats(ctx context.Context, a account) (s stats, err error) {
	err = b.sandbox.Stats(ctx, a.name, &s)
	return s, err
}
