package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
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
	who, replaced, err := w.who(ctx, customer, r)
	if err != nil {
		return tally{}, err
	}
	want := map[string]judge.Ticket{}
	err = truth(ctx, w.source, customer, func(t judge.Ticket) error {
		want[t.ID] = t
		return nil
	})
	if err != nil {
		return tally{}, err
	}
	c := comparison{world: who, want: want, reader: r, tally: tally{planned: len(want), replaced: replaced, rules: map[string]int{}}}
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

// who finds who is who in the account, and what the product has listed.
// replaced are the agents who are not there, for whom another stands in.
func (w *world) who(ctx context.Context, customer string, r reader) (who judge.World, replaced int, err error) {
	who = judge.World{
		Users: map[string]string{}, Organizations: map[string]string{}, Home: map[string]string{}, StandIns: map[string]bool{},
		Now: time.Now().Unix(), Changes: map[string][]judge.Change{},
		Kept: func(ticket string) ([]byte, error) {
			return os.ReadFile(filepath.Join(w.dir, "kept", customer, w.account(customer), "ticket-"+ticket+".ndjson"))
		},
	}
	if err := w.people(ctx, customer, r, who); err != nil {
		return who, 0, err
	}
	replaced, err = w.changes(ctx, customer, who)
	return who, replaced, err
}

func (w *world) people(ctx context.Context, customer string, r reader, who judge.World) error {
	users, err := r.list(ctx, "users", "users")
	if err != nil {
		return err
	}
	byMail := map[string]string{}
	for _, u := range users {
		id := fmt.Sprint(u["id"])
		if u["organization_id"] != nil {
			who.Home[id] = fmt.Sprint(u["organization_id"])
		}
		mail, _ := u["email"].(string)
		byMail[strings.ToLower(mail)] = id
		if source, ours := sourceID(u); ours && source != "unknown-person" {
			who.Users[source] = id
		} else if ours {
			who.StandIns[id] = true
		}
	}
	registered, err := registered(ctx, w.source, customer)
	if err != nil {
		return err
	}
	for _, p := range registered { // who is registered twice is there once
		if id, ok := byMail[p.mail]; ok && who.Users[p.no] == "" && p.mail != "" {
			who.Users[p.no] = id
		}
		if p.staff && who.Users[p.no] == "" {
			w.seatless++
		}
	}
	organizations, err := r.list(ctx, "organizations", "organizations")
	if err != nil {
		return err
	}
	for _, o := range organizations {
		if source, ours := sourceID(o); ours {
			who.Organizations[source] = fmt.Sprint(o["id"])
		}
	}
	me, err := r.get(ctx, "users/me")
	if err != nil {
		return err
	}
	self, _ := me["user"].(map[string]any)
	who.StandIns[fmt.Sprint(self["id"])] = true
	return nil
}

// changes are what `starter changes` lists about tickets, and who stands in for
// agents. It lists nothing else here.
func (w *world) changes(ctx context.Context, customer string, who judge.World) (replaced int, err error) {
	out, err := w.starter(ctx, "changes", customer, "-o", "json")
	if err != nil {
		return 0, err
	}
	var list []judge.Change
	if err := json.Unmarshal(out, &list); err != nil {
		return 0, fmt.Errorf("changes of %s: %w", customer, err)
	}
	for _, c := range list {
		switch {
		case c.Entity == "tickets":
			who.Changes[c.SourceID] = append(who.Changes[c.SourceID], c)
		case c.Rule == "agent_replaced":
			replaced++
			for id := range who.StandIns {
				if c.After == judge.Hash(id) {
					who.Users[c.SourceID] = id
				}
			}
		default:
			return 0, fmt.Errorf("changes of %s: %s %s: %s is listed, and nothing calls for it", customer, c.Entity, c.SourceID, c.Rule)
		}
	}
	return replaced, nil
}
