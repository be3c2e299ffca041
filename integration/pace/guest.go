package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"farewell/integration/figures"
)

const (
	guestPlan    = 400
	guestScale   = 10
	guestWindows = 20
	guestMost    = 0.6 // of the plan, at most, in a window
)

// measureGuest shares an account with another integration that eats a random
// part of the same budget.
func measureGuest(ctx context.Context, b *bench, r *report) error {
	a, err := b.sandbox.open(ctx, b.name("guest"), guestPlan, guestScale, nil)
	if err != nil {
		return err
	}
	c, err := b.newCrew(ctx, guestScale, a)
	if err != nil {
		return err
	}
	defer c.end()
	c.reserved = 0 // with a reserve, the guest would hardly ever meet us at the end of the budget
	if err := c.addMany(ctx, 2); err != nil {
		return err
	}
	const window = time.Minute / guestScale
	from := time.Now().Truncate(window).Add(2 * window)
	until := from.Add(guestWindows * window)
	visiting, end := context.WithDeadline(ctx, until)
	defer end()
	visit(visiting, a, window)
	c.end()
	s, err := a.stats(ctx, from.Add(-2*window))
	if err != nil {
		return err
	}
	judgeGuest(r, log(s.Arrivals).between(from, until), window, from, until)
	return ctx.Err()
}

// guestPath is asked for by the guest only.
const guestPath = "/api/v2/ticket_fields"

// visit eats a random part of each window, at random moments.
func visit(ctx context.Context, a account, window time.Duration) {
	dice := rand.New(rand.NewPCG(4, 4)) //nolint:gosec // the same windows each time
	var all sync.WaitGroup
	defer all.Wait()
	for ctx.Err() == nil {
		begins := time.Now().Truncate(window).Add(window)
		pause(ctx, time.Until(begins))
		eats := int(dice.Float64() * guestMost * guestPlan)
		for range eats {
			at := time.Duration(dice.Float64() * float64(window))
			all.Go(func() {
				pause(ctx, time.Until(begins.Add(at)))
				if ctx.Err() == nil {
					if err := a.ask(ctx, guestPath); err != nil && ctx.Err() == nil {
						say("the guest: %v", err)
					}
				}
			})
		}
	}
}

func (a account) ask(ctx context.Context, path string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.URL+path, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+a.Token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	if err := res.Body.Close(); err != nil {
		return fmt.Errorf("close the answer: %w", err)
	}
	return nil
}

// inFlight is what two workers of eight requests for the account may have under
// way when a 429 comes.
const inFlight = 16

func judgeGuest(r *report, all log, window time.Duration, from, until time.Time) {
	ours := all.of(func(a arrival) bool { return a.Endpoint != "GET "+guestPath })
	guest := len(all) - len(ours)
	late, worst := 0, 0
	windows := int(until.Sub(from) / window)
	for n := range windows {
		in := ours.between(from.Add(time.Duration(n)*window), from.Add(time.Duration(n+1)*window))
		refused := in.of(func(a arrival) bool { return a.Status == http.StatusTooManyRequests })
		worst = max(worst, len(refused))
		if len(refused) > 0 {
			ends := from.Add(time.Duration(n+1) * window)
			late += len(in.between(refused[0].at().Add(time.Second), ends))
		}
	}
	r.Figure("guest_requests", float64(guest), "requests of the other integration")
	r.Figure("guest_share_of_plan", 100*float64(guest)/float64(windows*guestPlan), "%")
	r.Check("guest_used_by_both", 100*float64(len(all.of(func(a arrival) bool { return a.Status < 400 })))/float64(windows*guestPlan), "%", figures.AtLeast(90))
	r.Check("guest_requests_later_than_1s_after_a_429", float64(late), "requests", figures.AtMost(0))
	r.Check("guest_most_429_in_a_window", float64(worst), "answers", figures.AtMost(inFlight))
	r.Check("guest_longest_stall", ours.longestGap().Seconds(), "s", figures.AtMost(window.Seconds()+1))
}
