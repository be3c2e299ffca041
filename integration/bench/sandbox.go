package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
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
	*sandbox
	name  string
	url   string
	token string
}

// open makes an empty account that is so many times faster than Zendesk.
func (s *sandbox) open(ctx context.Context, name string, scale, perTicket float64) (account, error) {
	a := account{sandbox: s, name: name}
	var made struct {
		Token string `json:"token"`
	}
	err := s.call(ctx, http.MethodPut, "/_sandbox/accounts/"+name+"/settings", map[string]any{
		"plan_per_minute":    plenty,
		"time_scale":         scale,
		"seconds_per_ticket": perTicket,
		"bulk_users":         true,
		"ticket_fields":      samplecrm.TicketFields(),
	}, &made)
	a.url, a.token = s.url+"/accounts/"+name, made.Token
	return a, err
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

func (a account) stats(ctx context.Context) (stats, error) {
	var s stats
	err := a.call(ctx, http.MethodGet, "/_sandbox/accounts/"+a.name+"/stats", nil, &s)
	return s, err
}

// empty drops what the account holds: the machine's memory is for the next run.
func (a account) empty(ctx context.Context) error {
	return a.call(ctx, http.MethodPost, "/_sandbox/accounts/"+a.name+"/reset", nil, nil)
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
