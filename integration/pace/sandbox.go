package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"time"

	"farewell/sandbox/samplecrm"
)

// sandbox is the running stand-in for Zendesk.
type sandbox struct {
	process *process
	url     string
}

func startSandbox(ctx context.Context, programs, log string) (*sandbox, error) {
	const word = "sandbox listens on "
	p, line, err := start(ctx, log, word, nil, programs+"/sandbox", "serve", "--listen", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	_, url, _ := strings.Cut(strings.TrimSpace(line), word)
	return &sandbox{process: p, url: url}, nil
}

// account is one in the sandbox.
type account struct {
	*sandbox `json:"-"`
	Name     string
	URL      string
	Token    string
	Plan     int
}

// open makes an account that is so many times faster than Zendesk, and changes
// further settings of it.
func (s *sandbox) open(ctx context.Context, name string, plan int, scale float64, more map[string]any) (account, error) {
	a := account{sandbox: s, Name: name, URL: s.url + "/accounts/" + name, Plan: plan}
	settings := map[string]any{
		"plan_per_minute": plan, "time_scale": scale, "seconds_per_ticket": 0, "bulk_users": true,
		"ticket_fields": samplecrm.TicketFields(),
	}
	maps.Copy(settings, more)
	var made struct {
		Token string `json:"token"`
	}
	err := a.set(ctx, settings, &made)
	a.Token = made.Token
	return a, err
}

func (a account) set(ctx context.Context, settings map[string]any, answer any) error {
	return a.call(ctx, http.MethodPut, "/_sandbox/accounts/"+a.Name+"/settings", settings, answer)
}

// edge changes the abuse protection in front of all accounts.
func (s *sandbox) edge(ctx context.Context, settings map[string]any) error {
	return s.call(ctx, http.MethodPut, "/_sandbox/edge", settings, nil)
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

func (a account) stats(ctx context.Context, since time.Time) (stats, error) {
	var s stats
	err := a.call(ctx, http.MethodGet, fmt.Sprintf("/_sandbox/accounts/%s/stats?arrivals=%d", a.Name, since.UnixMilli()), nil, &s)
	return s, err
}

// stats over all accounts.
func (s *sandbox) stats(ctx context.Context, since time.Time) (all stats, err error) {
	err = s.call(ctx, http.MethodGet, fmt.Sprintf("/_sandbox/stats?arrivals=%d", since.UnixMilli()), nil, &all)
	return all, err
}

func (s *sandbox) call(ctx context.Context, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("%s %s: %s: %s", method, path, res.Status, text)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(text, out)
}
