package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"time"

	"farewell/destination/zendesk/zendesktest"
	"farewell/migration"
	"farewell/sandbox/samplecrm"
)

const (
	manyFiles     = 2000
	filesOfTicket = 4
	ticketsOfPage = 25
	cutEach       = 100 // one file of so many breaks off
)

// measureFiles brings 2,000 files of a file server that cuts some short, and
// reads every one of them back.
func measureFiles(ctx context.Context) ([]figure, error) {
	server, err := zendesktest.New(zendesktest.Options{})
	if err != nil {
		return nil, err
	}
	if err := server.CreateAccount("acme", map[string]any{"time_scale": 20, "plan_per_minute": plan, "seconds_per_ticket": 0}); err != nil {
		return nil, err
	}
	sandbox := httptest.NewServer(server)
	defer sandbox.Close()
	source := httptest.NewServer(http.HandlerFunc(serveCutting))
	defer source.Close()
	address := sandbox.URL + "/accounts/acme"
	h, err := open(ctx, address, source.URL)
	if err != nil {
		return nil, err
	}
	defer h.close()
	var m moved
	for no := 0; no < manyFiles; {
		var page migration.Page
		for range ticketsOfPage {
			t := migration.Ticket{ID: strconv.Itoa(no), Subject: "s", Status: "open", CreatedAt: time.Unix(1e9, 0), UpdatedAt: time.Unix(1e9, 0)}
			t.Comments = []migration.Comment{{ID: t.ID, Body: "text", CreatedAt: time.Unix(1e9, 0)}}
			for range filesOfTicket {
				t.Comments[0].Attachments = append(t.Comments[0].Attachments, migration.Attachment{
					ID: strconv.Itoa(no), TicketID: t.ID, FileName: strconv.Itoa(no), URL: fmt.Sprintf("%s/%d", source.URL, no),
				})
				no++
			}
			page.Tickets = append(page.Tickets, t)
		}
		if err := m.bring(ctx, h, address, page); err != nil {
			return nil, err
		}
	}
	return []figure{
		{"files_brought", float64(m.same), "files", manyFiles - manyFiles/cutEach, manyFiles - manyFiles/cutEach},
		{"files_different", float64(m.different), "files", 0, 0},
		{"files_cut_short_and_listed", float64(m.listed), "files", manyFiles / cutEach, manyFiles / cutEach},
		{"files_cut_short_and_uploaded", float64(m.torn), "files", 0, 0},
	}, nil
}

// serveCutting serves the sample's files, each with its length, and ends the
// connection within some of them.
func serveCutting(w http.ResponseWriter, r *http.Request) {
	no, err := strconv.ParseInt(r.URL.Path[1:], 10, 64)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	content := samplecrm.FileContent(no)
	w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	if isCut(no) {
		content = content[:len(content)-1] // net/http closes the connection of an answer that is too short
	}
	_, _ = w.Write(content) // the client has gone
}

func isCut(no int64) bool { return no%cutEach == 1 }

type moved struct{ same, different, listed, torn int }

func (m *moved) bring(ctx context.Context, h *house, address string, page migration.Page) error {
	parcel, err := h.prepare(ctx, page)
	if err != nil {
		return err
	}
	for _, f := range parcel.Files {
		if f.Code == migration.FileCutShort {
			m.listed++
		}
	}
	release, err := h.account.Reserve(ctx)
	if err != nil {
		return err
	}
	defer release()
	receipt, err := h.account.Submit(ctx, migration.Batch{ID: page.Tickets[0].ID, Entity: migration.Tickets, SourceIDs: parcel.Sent, SendBy: time.Now().Add(time.Minute)}, parcel)
	if err != nil {
		return err
	}
	result, err := h.account.Await(ctx, receipt.JobID, migration.Tickets, parcel.Sent)
	if err != nil {
		return err
	}
	for _, item := range result.Items {
		if err := m.compare(ctx, address+"/api/v2/tickets/"+item.TargetID+"/comments"); err != nil {
			return err
		}
	}
	return nil
}

// compare reads a ticket's files back through the public API.
func (m *moved) compare(ctx context.Context, address string) error {
	text, err := get(ctx, address)
	if err != nil {
		return err
	}
	var page struct {
		Comments []struct {
			Attachments []struct {
				Name string `json:"file_name"`
				URL  string `json:"content_url"`
			}
		}
	}
	if err := json.Unmarshal(text, &page); err != nil {
		return err
	}
	for _, c := range page.Comments {
		for _, a := range c.Attachments {
			no, err := strconv.ParseInt(a.Name, 10, 64)
			if err != nil {
				return err
			}
			content, err := get(ctx, a.URL)
			switch {
			case err != nil:
				return err
			case isCut(no):
				m.torn++
			case bytes.Equal(content, samplecrm.FileContent(no)):
				m.same++
			default:
				m.different++
			}
		}
	}
	return nil
}

func get(ctx context.Context, address string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer sandbox-acme")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	content, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", address, res.Status)
	}
	return content, err
}
