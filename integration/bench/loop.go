package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"farewell/destination"
	"farewell/destination/zendesk"
	"farewell/migration"
	"farewell/source"
)

// loopCommand makes this program the bare loop: a process of its own, so that
// its CPU time can be told from the bench's.
const loopCommand = "loop"

// partitionRows is as many tickets as a partition of the product holds.
const partitionRows = 6000

// bareLoop is what is left of a migration without any promise: no ledger, no
// retry, no look at what became of the tickets' jobs.
type bareLoop struct {
	source   *source.Source
	account  *zendesk.Account
	customer string
	url      string
	token    string
	lanes    int
	http     *http.Client

	mu      sync.Mutex
	targets map[migration.Entity]map[string]migration.Target
}

// peopleKinds is what must be in the account before the tickets, in order.
func peopleKinds() []migration.Entity {
	return []migration.Entity{migration.Organizations, migration.Users, migration.Memberships}
}

// looped is what the loop says at its end.
type looped struct {
	Seconds       float64 `json:"seconds"`
	PeopleSeconds float64 `json:"people_seconds"`
}

func loopMain(ctx context.Context, args []string) error {
	var l bareLoop
	var from string
	f := flag.NewFlagSet(loopCommand, flag.ExitOnError)
	f.StringVar(&from, "source", "", "connection URL of the source")
	f.StringVar(&l.customer, "customer", "", "the customer's id")
	f.StringVar(&l.url, "account", "", "address of the account")
	f.IntVar(&l.lanes, "lanes", productLanes, "partitions at a time")
	if err := f.Parse(args); err != nil {
		return err
	}
	l.token = os.Getenv("BENCH_TOKEN")
	if err := l.open(ctx, from); err != nil {
		return err
	}
	defer l.source.Close()
	began := time.Now()
	for _, e := range peopleKinds() {
		if err := l.each(ctx, e, 1, l.person); err != nil {
			return err
		}
	}
	people := time.Since(began).Seconds()
	if err := l.each(ctx, migration.Tickets, l.lanes, l.tickets); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(looped{Seconds: time.Since(began).Seconds(), PeopleSeconds: people})
}

func (l *bareLoop) open(ctx context.Context, from string) (err error) {
	l.targets = map[migration.Entity]map[string]migration.Target{}
	for _, e := range peopleKinds() {
		l.targets[e] = map[string]migration.Target{}
	}
	l.http = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: l.lanes * laneFlight}}
	l.account, err = zendesk.Open(zendesk.Options{
		Account: destination.Account{
			Name: "loop", Customer: l.customer, URL: l.url, PlanPerMinute: plenty, Auth: "bearer",
			Secret: func() (string, error) { return l.token, nil },
		},
		Timings: migration.DefaultTimings().Scaled(noDelay),
	})
	if err != nil {
		return err
	}
	l.source, err = source.Open(ctx, source.Options{URL: from, MaxConns: max(8, l.lanes)})
	return err
}

// each reads every page of an entity, in lanes over its partitions, and hands
// up to laneFlight pages of a lane at a time to do.
func (l *bareLoop) each(ctx context.Context, e migration.Entity, lanes int, do func(context.Context, migration.Partition, migration.Page) error) error {
	partitions, err := l.source.Cut(ctx, l.customer, e, partitionRows)
	if err != nil {
		return err
	}
	queue := make(chan migration.Partition, len(partitions))
	for _, p := range partitions {
		queue <- p
	}
	close(queue)
	running, ctx := errgroup.WithContext(ctx)
	for range lanes {
		running.Go(func() error {
			for p := range queue {
				if err := l.lane(ctx, p, do); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return running.Wait()
}

func (l *bareLoop) lane(ctx context.Context, p migration.Partition, do func(context.Context, migration.Partition, migration.Page) error) error {
	flight, ctx := errgroup.WithContext(ctx)
	flight.SetLimit(laneFlight)
	after := ""
	for {
		page, err := l.source.Page(ctx, source.PageQuery{Customer: l.customer, Partition: p, After: after, Limit: 100})
		if err != nil {
			return errors.Join(err, flight.Wait())
		}
		after = page.Last
		if page.Len() > 0 {
			flight.Go(func() error { return do(ctx, p, page) })
		}
		if !page.More {
			return flight.Wait()
		}
	}
}

// person brings organizations, users or memberships and keeps their targets, without which
// no ticket can be encoded. It is the product's client, but nothing remembers.
// Who was refused because somebody has their e-mail address is looked up at the
// second try.
func (l *bareLoop) person(ctx context.Context, p migration.Partition, page migration.Page) error {
	for range 2 {
		if page.Len() == 0 {
			return nil
		}
		if err := l.sendPeople(ctx, p, page); err != nil {
			return err
		}
		l.mu.Lock()
		known := make(map[string]bool, page.Len())
		for _, id := range page.IDs() {
			known[id] = l.targets[p.Entity][id].ID != ""
		}
		l.mu.Unlock()
		page = page.Without(known)
	}
	return nil
}

func (l *bareLoop) sendPeople(ctx context.Context, p migration.Partition, page migration.Page) error {
	parcel, err := l.account.Prepare(ctx, destination.PrepareInput{Entity: p.Entity, Partition: p.ID, Page: page, Directory: l.directory})
	if err != nil {
		return err
	}
	l.keep(p.Entity, parcel.Decided)
	if len(parcel.Sent) == 0 {
		return nil
	}
	release, err := l.account.Reserve(ctx)
	if err != nil {
		return err
	}
	defer release()
	receipt, err := l.account.Submit(ctx, migration.Batch{Entity: p.Entity, SourceIDs: parcel.Sent, SendBy: time.Now().Add(time.Minute)}, parcel)
	if err != nil {
		return err
	}
	result, err := l.account.Await(ctx, receipt.JobID, p.Entity, parcel.Sent)
	if err != nil {
		return err
	}
	l.keep(p.Entity, result.Items)
	return nil
}

func (l *bareLoop) keep(e migration.Entity, items []migration.Item) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, item := range items {
		if item.TargetID != "" {
			l.targets[e][item.SourceID] = migration.Target{ID: item.TargetID}
		}
	}
}

func (l *bareLoop) directory(_ context.Context, e migration.Entity, ids []string) (map[string]migration.Target, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	found := make(map[string]migration.Target, len(ids))
	for _, id := range ids {
		if t, ok := l.targets[e][id]; ok {
			found[id] = t
		}
	}
	return found, nil
}

// tickets posts a page. By now the maps are only read.
func (l *bareLoop) tickets(ctx context.Context, p migration.Partition, page migration.Page) error {
	body, _ := zendesk.EncodeTickets(nil, zendesk.EncodeInput{
		Tickets:       page.Tickets,
		Users:         l.targets[migration.Users],
		Organizations: l.targets[migration.Organizations],
		Prefix:        zendesk.DefaultExternalIDPrefix,
		Partition:     p.ID,
		Now:           time.Now(),
	})
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, l.url+"/api/v2/imports/tickets/create_many", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+l.token)
	res, err := l.http.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("the account answered %s to a batch", res.Status)
	}
	return nil
}
