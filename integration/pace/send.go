package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"farewell/destination"
	"farewell/destination/zendesk"
	"farewell/ledger"
	"farewell/migration"
)

// sendCommand makes this program a worker of its own process: the product's
// account client on the product's ledger, without Temporal, so that a request
// costs little beside what is measured.
const sendCommand = "send"

// sending is what such a worker is told.
type sending struct {
	Worker   string
	Egress   string
	Ledger   string
	Scale    float64 // how much faster than Zendesk its accounts are
	Accounts []account
	Reserved int // percent of each account's plan
	Flight   int // requests under way for each account
	Bulk     int // tickets in a request through a job; 0: one, without a job
}

// sendMain sends as much as it is granted, until it is told to end.
func sendMain(ctx context.Context, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var s sending
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	memory, err := ledger.Open(ctx, s.Ledger, ledger.Options{MaxConns: 8})
	if err != nil {
		return err
	}
	defer memory.Close()
	controls, err := memory.Follow(ctx)
	if err != nil {
		return err
	}
	defer controls.Close()
	seat := controls.Seat(s.Worker, s.Egress)
	log := slog.New(slog.NewTextHandler(os.Stdout, nil))
	out := zendesk.NewExit(seat, log)
	fmt.Println("sending")
	var all sync.WaitGroup
	for _, a := range s.Accounts {
		to, err := zendesk.Open(zendesk.Options{
			Account: destination.Account{
				Name: a.Name, Customer: a.Name, Kind: migration.DestinationZendesk, URL: a.URL, PlanPerMinute: a.Plan,
				ReservedPercent: s.Reserved, Auth: zendesk.AuthBearer, Secret: func() (string, error) { return a.Token, nil },
			},
			Timings: migration.DefaultTimings().Scaled(s.Scale), Budget: seat, Exit: out, Logger: log,
		})
		if err != nil {
			return err
		}
		defer func() {
			if err := to.Close(); err != nil {
				log.Warn("close", "account", a.Name, "error", err)
			}
		}()
		for n := range s.Flight {
			lane := sender{to: to, name: fmt.Sprintf("%s-%s-%d", s.Worker, a.Name, n), bulk: s.Bulk, log: log}
			all.Go(func() { lane.run(ctx) })
		}
	}
	all.Wait()
	return nil
}

// sender keeps one request under way.
type sender struct {
	to   *zendesk.Account
	name string
	bulk int
	sent int
	log  *slog.Logger
}

func (s *sender) run(ctx context.Context) {
	for ctx.Err() == nil {
		err := s.once(ctx)
		var refused *destination.Error
		if errors.As(err, &refused) {
			s.log.Info("not sent", "kind", string(refused.Kind), "code", refused.Code, "retry_after", refused.RetryAfter)
			pause(ctx, min(max(refused.RetryAfter, 20*time.Millisecond), time.Second))
		} else if err != nil && ctx.Err() == nil {
			s.log.Warn("not sent", "error", err)
			pause(ctx, 100*time.Millisecond)
		}
	}
}

// once sends as a lane does: prepare, reserve, submit, await.
func (s *sender) once(ctx context.Context) error {
	in := destination.PrepareInput{Entity: migration.Tickets, Partition: "pace", Page: s.page(), Directory: nobody}
	if s.bulk == 0 {
		in.Level = migration.SingleLevel
	}
	parcel, err := s.to.Prepare(ctx, in)
	if err != nil {
		return err
	}
	release, err := s.to.Reserve(ctx)
	if err != nil {
		return err
	}
	defer release()
	b := migration.Batch{ID: s.name, Entity: migration.Tickets, SourceIDs: parcel.Sent, SendBy: time.Now().Add(20 * time.Second)}
	receipt, err := s.to.Submit(ctx, b, parcel)
	if err != nil || receipt.JobID == "" {
		return err
	}
	_, err = s.to.Await(ctx, receipt.JobID, migration.Tickets, parcel.Sent)
	return err
}

func (s *sender) page() migration.Page {
	var page migration.Page
	at := time.Unix(1e9, 0)
	for range max(1, s.bulk) {
		s.sent++
		page.Tickets = append(page.Tickets, migration.Ticket{
			ID: fmt.Sprintf("%s-%d", s.name, s.sent), Subject: "subject", Status: "closed", CreatedAt: at, UpdatedAt: at,
			Comments: []migration.Comment{{Public: true, Body: "text", CreatedAt: at}},
		})
	}
	return page
}

func nobody(context.Context, migration.Entity, []string) (map[string]migration.Target, error) {
	return nil, nil
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
