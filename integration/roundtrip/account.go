package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// reader reads an account through its public API, into plain maps.
type reader struct {
	base  string // …/api/v2/
	token string
	http  *http.Client
}

func (w *world) reader(customer string) reader {
	account := w.account(customer)
	return reader{base: w.Sandbox.AccountURL(account) + "/api/v2/", token: "sandbox-" + account, http: &http.Client{Timeout: time.Minute}}
}

// get asks until the account has room for the question.
func (r reader) get(ctx context.Context, path string) (map[string]any, error) {
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.base+path, nil)
		if err != nil {
			return nil, err
		}
		request.Header.Set("Authorization", "Bearer "+r.token)
		response, err := r.http.Do(request)
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(response.Body)
		if err := errClosed(response.Body.Close(), err); err != nil {
			return nil, err
		}
		switch response.StatusCode {
		case http.StatusOK:
			return object(body)
		case http.StatusTooManyRequests:
			select {
			case <-time.After(100 * time.Millisecond): // a window of the export is shorter than a second here
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		default:
			return nil, fmt.Errorf("GET %s: %s: %.300s", path, response.Status, body)
		}
	}
}

func errClosed(closing, reading error) error {
	if reading != nil {
		return reading
	}
	return closing
}

func object(body []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v map[string]any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("the answer is no JSON: %w", err)
	}
	return v, nil
}

func objects(v any) []map[string]any {
	list, _ := v.([]any)
	all := make([]map[string]any, 0, len(list))
	for _, e := range list {
		if o, ok := e.(map[string]any); ok {
			all = append(all, o)
		}
	}
	return all
}

// list reads all pages of a list.
func (r reader) list(ctx context.Context, path, name string) ([]map[string]any, error) {
	var all []map[string]any
	for after := ""; ; {
		page := path + "?page[size]=100"
		if after != "" {
			page += "&page[after]=" + url.QueryEscape(after)
		}
		answer, err := r.get(ctx, page)
		if err != nil {
			return nil, err
		}
		all = append(all, objects(answer[name])...)
		meta, _ := answer["meta"].(map[string]any)
		if meta["has_more"] != true {
			return all, nil
		}
		after = fmt.Sprint(meta["after_cursor"])
	}
}

// tickets calls fn for each ticket of the account, a page at a time.
func (r reader) tickets(ctx context.Context, fn func([]map[string]any) error) error {
	for query := "start_time=0"; ; {
		answer, err := r.get(ctx, "incremental/tickets/cursor?per_page=1000&"+query)
		if err != nil {
			return err
		}
		if err := fn(objects(answer["tickets"])); err != nil {
			return err
		}
		if answer["end_of_stream"] == true {
			return nil
		}
		query = "cursor=" + url.QueryEscape(fmt.Sprint(answer["after_cursor"]))
	}
}

// comments are a ticket's, in their order.
func (r reader) comments(ctx context.Context, ticket string) ([]map[string]any, error) {
	return r.list(ctx, "tickets/"+ticket+"/comments", "comments")
}

func (r reader) solvedAt(ctx context.Context, ticket string) (any, error) {
	answer, err := r.get(ctx, "tickets/"+ticket+"/metrics")
	if err != nil {
		return nil, err
	}
	metric, _ := answer["ticket_metric"].(map[string]any)
	return metric["solved_at"], nil
}

// sourceID is what a record of ours carries in its external id.
func sourceID(record map[string]any) (string, bool) {
	id, _ := record["external_id"].(string)
	return strings.CutPrefix(id, "farewell-")
}
