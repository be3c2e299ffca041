package judge

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
)

// Plant spoils an account in three ways, of which Judge must find each: it
// deletes one ticket, imports another one a second time, and replaces a third
// by one with two of its comments swapped.
func Plant(ctx context.Context, c Case) error {
	var all []arrived
	err := eachTicket(ctx, c, func(t arrived) { all = append(all, t) })
	if err != nil {
		return err
	}
	if all, err = c.openable(ctx, all); err != nil {
		return err
	}
	swapped := -1
	for i, t := range all {
		if i >= 2 && len(t.Comments) >= 2 && t.Comments[0].Body != t.Comments[1].Body {
			swapped = i
			break
		}
	}
	if swapped < 0 {
		return fmt.Errorf("account %s has no ticket with two comments to swap", c.Account)
	}
	if err := c.remove(ctx, all[0]); err != nil {
		return err
	}
	if err := c.importAgain(ctx, all[1]); err != nil {
		return err
	}
	t := all[swapped]
	t.Comments[0].Body, t.Comments[1].Body = t.Comments[1].Body, t.Comments[0].Body
	if err := c.remove(ctx, t); err != nil {
		return err
	}
	return c.importAgain(ctx, t)
}

// openable are the tickets of those who may still open one: the account refuses
// the others' a second time.
func (c Case) openable(ctx context.Context, all []arrived) ([]arrived, error) {
	suspended := map[json.Number]bool{}
	err := eachLine(ctx, c, "users", func(u struct {
		ID        json.Number `json:"id"`
		Suspended bool        `json:"suspended"`
	}) {
		suspended[u.ID] = u.Suspended
	})
	return slices.DeleteFunc(all, func(t arrived) bool { return suspended[t.RequesterID] }), err
}

func (c Case) remove(ctx context.Context, t arrived) error {
	return c.call(ctx, http.MethodDelete, "/api/v2/tickets/"+t.ID.String()+".json", nil)
}

func (c Case) importAgain(ctx context.Context, t arrived) error {
	var comments []map[string]any
	for _, m := range t.Comments {
		comments = append(comments, map[string]any{"author_id": m.AuthorID, "public": m.Public, "created_at": m.CreatedAt, "value": m.Body})
	}
	return c.call(ctx, http.MethodPost, "/api/v2/imports/tickets.json", map[string]any{"ticket": map[string]any{
		"external_id": t.ExternalID, "subject": t.Subject, "status": t.Status, "priority": t.Priority, "type": t.Type,
		"requester_id": t.RequesterID, "submitter_id": t.SubmitterID, "created_at": t.CreatedAt, "updated_at": t.UpdatedAt,
		"tags": t.Tags, "comments": comments,
	}})
}

func (c Case) call(ctx context.Context, method, path string, body any) error {
	encoded, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, method, c.Sandbox+"/accounts/"+c.Account+path, bytes.NewReader(encoded))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer sandbox-"+c.Account)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusMultipleChoices {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 500)) // for the message only
		return fmt.Errorf("%s %s of account %s: %s: %s", method, path, c.Account, response.Status, text)
	}
	return nil
}
