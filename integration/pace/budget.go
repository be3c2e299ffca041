package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"farewell/integration/figures"
)

// budgetCase is one account and the workers that share its budget.
type budgetCase struct {
	plan    int
	workers int
	scale   float64 // a window lasts a minute divided by this
	windows int
	bulk    int // see sending
}

func (c budgetCase) window() time.Duration { return time.Duration(float64(time.Minute) / c.scale) }

func (c budgetCase) name() string {
	name := fmt.Sprintf("budget_%d_per_minute_%d_workers", c.plan, c.workers)
	if c.scale == 1 {
		name += "_real_minutes"
	}
	if c.bulk > 0 {
		name += "_with_jobs"
	}
	return name
}

// budgetReserve is the share that is left to the account's other integrations.
const budgetReserve = 20

// budgetRounds are the cases that share the time: their sum stays far below
// what the machine can do.
var budgetRounds = [][]budgetCase{
	{
		{plan: 200, workers: 1, scale: 10, windows: 20}, {plan: 200, workers: 2, scale: 10, windows: 20},
		{plan: 400, workers: 1, scale: 10, windows: 20}, {plan: 400, workers: 4, scale: 10, windows: 20},
	},
	{
		{plan: 400, workers: 2, scale: 10, windows: 20}, {plan: 700, workers: 1, scale: 10, windows: 20},
		{plan: 400, workers: 1, scale: 10, windows: 20, bulk: 10},
	},
	{
		{plan: 700, workers: 2, scale: 10, windows: 20}, {plan: 400, workers: 2, scale: 1, windows: 5},
		{plan: 2500, workers: 1, scale: 3, windows: 20},
	},
	{{plan: 2500, workers: 2, scale: 3, windows: 20}},
}

func measureBudgets(ctx context.Context, b *bench, r *report) error {
	for _, round := range budgetRounds {
		if slices.ContainsFunc(b.only, isBudget) {
			round = slices.DeleteFunc(slices.Clone(round), func(c budgetCase) bool { return !slices.Contains(b.only, c.name()) })
		}
		crews := make([]*crew, len(round))
		for i, c := range round {
			var err error
			if crews[i], err = b.budgetCrew(ctx, c); err != nil {
				return err
			}
			defer crews[i].end()
		}
		var all sync.WaitGroup
		logs, failures := make([]budgetLog, len(round)), make([]error, len(round))
		for i, c := range round {
			all.Go(func() { logs[i], failures[i] = c.run(ctx, crews[i]) })
		}
		all.Wait()
		if err := errors.Join(failures...); err != nil {
			return err
		}
		for i, c := range round {
			c.judge(r, logs[i])
		}
	}
	return nil
}

// isBudget tells whether that is the name of a budget's figures.
func isBudget(name string) bool {
	return slices.ContainsFunc(budgetRounds, func(round []budgetCase) bool {
		return slices.ContainsFunc(round, func(c budgetCase) bool { return c.name() == name })
	})
}

func (b *bench) budgetCrew(ctx context.Context, c budgetCase) (*crew, error) {
	a, err := b.sandbox.open(ctx, b.name("budget"), c.plan, c.scale, nil)
	if err != nil {
		return nil, err
	}
	crew, err := b.newCrew(ctx, c.scale, a)
	if err != nil {
		return nil, err
	}
	crew.reserved, crew.bulk = budgetReserve, c.bulk
	if c.bulk > 0 {
		crew.flight = 30 // three lanes of ten batches, as a migration has
	}
	return crew, crew.addMany(ctx, c.workers)
}

// budgetLog is what the sandbox saw of one case.
type budgetLog struct {
	all         log
	from, until time.Time // whole windows
	refused     int64
}

// run lets the crew send for the windows of the case and one more at either
// end, which are left out.
func (c budgetCase) run(ctx context.Context, crew *crew) (budgetLog, error) {
	var l budgetLog
	l.from = time.Now().Truncate(c.window()).Add(2 * c.window())
	l.until = l.from.Add(time.Duration(c.windows) * c.window())
	say("%s until %s", c.name(), l.until.Format(time.TimeOnly))
	pause(ctx, time.Until(l.until.Add(c.window()/2)))
	crew.end()
	s, err := crew.accounts[0].stats(ctx, l.from.Add(-2*c.window()))
	l.all, l.refused = s.Arrivals, s.Refused
	return l, errors.Join(err, ctx.Err())
}

func (c budgetCase) judge(r *report, l budgetLog) {
	allowed := float64(c.plan) * (100 - budgetReserve) / 100
	windows := l.all.perWindow(c.window(), l.from, l.until)
	r.Check(c.name()+"_used", 100*mean(windows)/allowed, "%", figures.AtLeast(97))
	r.Check(c.name()+"_fullest_window", 100*most(windows)/allowed, "%", figures.AtMost(100))
	r.Check(c.name()+"_answers_429", float64(l.refused), "answers", figures.AtMost(0))
	inTime := l.all.between(l.from, l.until)
	perSecond := inTime.perWindow(time.Second, l.from, l.until)
	r.Check(c.name()+"_fullest_second", most(perSecond)/mean(perSecond), "times the mean", figures.AtMost(3))
	polls := len(inTime.of(arrival.isPoll))
	r.Check(c.name()+"_polls", 100*float64(polls)/float64(max(1, len(inTime))), "%", figures.AtMost(10))
	if c.plan == plotted && c.workers == 2 && c.scale > 1 {
		r.plot.add(c, windows, inTime, l)
	}
}
