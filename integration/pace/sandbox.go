package main

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"time"

	"farewell/integration/programs"
	"farewell/sandbox/samplecrm"
)

// sandbox is the running stand-in for Zendesk.
type sandbox struct{ *programs.Sandbox }

// account is one in the sandbox.
type account struct {
	sandbox `json:"-"`
	Name    string
	URL     string
	Token   string
	Plan    int
}

// open makes an account that is so many times faster than Zendesk, and changes
// further settings of it.
func (s sandbox) open(ctx context.Context, name string, plan int, scale float64, more map[string]any) (account, error) {
	settings := map[string]any{
		"plan_per_minute": plan, "time_scale": scale, "seconds_per_ticket": 0, "bulk_users": true,
		"ticket_fields": samplecrm.TicketFields(),
	}
	maps.Copy(settings, more)
	token, err := s.SetAccount(ctx, name, settings)
	return account{sandbox: s, Name: name, URL: s.AccountURL(name), Token: token, Plan: plan}, err
}

// blockAtEdge has the abuse protection in front of the account refuse it, or not
// any more.
func (a account) blockAtEdge(ctx context.Context, block bool) error {
	_, err := a.SetAccount(ctx, a.Name, map[string]any{"edge_block": block})
	return err
}

// blockAtEdge has the abuse protection in front of all accounts refuse us, or
// not any more.
func (s sandbox) blockAtEdge(ctx context.Context, block bool) error {
	return s.Call(ctx, http.MethodPut, "edge", map[string]any{"block": block}, nil)
}

// arrival is a request in the sandbox's log.
type arrival struct {
	Milli    int64  `json:"at"` // since 1970
	Account  string `json:"account"`
	Endpoint string `json:"endpoint"`
	Status   int    `json:"status"`
	Edge     bool   `json:"edge"`
}

// stats are what the sandbox counted.
type stats struct {
	Tickets    int64     `json:"tickets"`
	Refused    int64     `json:"answers_429"`
	PeakJobs   int64     `json:"peak_open_jobs"`
	Peak       int64     `json:"peak_requests_per_window"`
	Arrivals   []arrival `json:"arrivals"`
	Duplicates struct {
		Tickets int64 `json:"tickets"`
	} `json:"duplicate_external_ids"`
}

func (a account) stats(ctx context.Context, since time.Time) (s stats, err error) {
	err = a.Call(ctx, http.MethodGet, fmt.Sprintf("accounts/%s/stats?arrivals=%d", a.Name, since.UnixMilli()), nil, &s)
	return s, err
}

// stats over all accounts.
func (s sandbox) stats(ctx context.Context, since time.Time) (all stats, err error) {
	err = s.Call(ctx, http.MethodGet, fmt.Sprintf("stats?arrivals=%d", since.UnixMilli()), nil, &all)
	return all, err
}
