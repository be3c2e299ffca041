package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"farewell/integration/roundtrip/judge"
)

// readers is how many tickets are read back at a time.
const readers = 6

// plenty is a plan that lets everything be read back at once.
const plenty = 1_000_000_000

// compare judges a customer's account.
func (w *world) compare(ctx context.Context, customer string) (tally, error) {
	if err := w.settings(ctx, customer, map[string]any{"plan_per_minute": plenty}); err != nil {
		return tally{}, err
	}
	r := w.reader(customer)
	who, people, err := w.who(ctx, customer, r)
	if err != nil {
		return tally{}, err
	}
	want := map[string]judge.Ticket{}
	err = truth(ctx, w.Source, customer, func(t judge.Ticket) error {
		want[t.ID] = t
		return nil
	})
	if err != nil {
		return tally{}, err
	}
	c := comparison{world: who, want: want, reader: r, tally: people}
	c.tally.planned = len(want)
	for _, changes := range who.Changes {
		for _, change := range changes {
			c.tally.rules[change.Rule]++
		}
	}
	if err := r.tickets(ctx, func(page []map[string]any) error { return c.page(ctx, page) }); err != nil {
		return tally{}, err
	}
	for id := range want {
		c.tally.unlisted = append(c.tally.unlisted, fmt.Sprintf("%s: ticket %s is not there", customer, id))
	}
	return c.tally, nil
}

// comparison is one customer's.
type comparison struct {
	world  judge.World
	reader reader

	mu    sync.Mutex
	want  map[string]judge.Ticket // not seen yet
	tally tally
}

func (c *comparison) page(ctx context.Context, tickets []map[string]any) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(readers)
	for _, got := range tickets {
		group.Go(func() error { return c.ticket(ctx, got) })
	}
	return group.Wait()
}

func (c *comparison) ticket(ctx context.Context, got map[string]any) error {
	id := fmt.Sprint(got["id"])
	comments, err := c.reader.comments(ctx, id)
	if err != nil {
		return err
	}
	solved, err := c.reader.solvedAt(ctx, id)
	if err != nil {
		return err
	}
	source, _ := sourceID(got)
	c.mu.Lock()
	want, known := c.want[source]
	delete(c.want, source)
	c.mu.Unlock()
	v := judge.Verdict{Unlisted: []string{"a ticket that the source does not have, or that is there twice"}}
	if known {
		v = judge.Judge(c.world, want, got, comments, solved)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tally.tickets++
	c.tally.comments += len(comments)
	c.tally.fields += v.Fields
	c.tally.listed += v.Listed
	c.tally.unlisted = append(c.tally.unlisted, v.Unlisted...)
	return nil
}

// who finds who is who in the account, and what the product has listed. It also
// judges the people themselves.
func (w *world) who(ctx context.Context, customer string, r reader) (judge.World, tally, error) {
	who := judge.World{
		Users: map[string]string{}, Organizations: map[string]string{}, Home: map[string]string{}, StandIns: map[string]bool{},
		Now: time.Now().Unix(), Changes: map[string][]judge.Change{},
		Kept: func(ticket string) ([]byte, error) {
			return os.ReadFile(filepath.Join(w.Kept(), customer, w.account(customer), "ticket-"+ticket+".ndjson"))
		},
	}
	c := newCrowd(who)
	if err := c.read(ctx, r); err != nil {
		return who, tally{}, err
	}
	people, err := registered(ctx, w.Source, customer)
	if err != nil {
		return who, tally{}, err
	}
	w.seatless += c.merge(people)
	list, err := w.changes(ctx, customer)
	if err != nil {
		return who, tally{}, err
	}
	c.take(list)
	return who, c.judge(people), nil
}

// changes are what `starter changes` lists.
func (w *world) changes(ctx context.Context, customer string) ([]judge.Change, error) {
	out, err := w.Starter(ctx, "changes", customer, "-o", "json")
	if err != nil {
		return nil, err
	}
	var list []judge.Change
	if err := json.Unmarshal([]byte(out), &list); err != nil {
		return nil, fmt.Errorf("changes of %s: %w", customer, err)
	}
	return list, nil
}
