package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"farewell/config"
	"farewell/migration"
)

// observer puts together what the ledger and Temporal know. Its views work
// without any worker, and with the ledger alone when Temporal is silent.
type observer struct {
	session    *session
	now        func() time.Time
	stallAfter time.Duration

	runs    runBook
	workers []migration.Presence
	heard   *temporalBook // what Temporal had said when the ledger was asked: never more than the ledger can tell of

	mu       sync.Mutex // guards temporal, which a watch replaces beside its views
	temporal *temporalBook
}

func newObserver(s *session, now func() time.Time) *observer {
	return &observer{
		session: s, now: now,
		stallAfter: migration.DefaultTimings().Scaled(s.cfg.TimeFactor).StallAfter,
		runs:       runBook{memory: s.memory},
		heard:      newTemporalBook(s.cfg.TaskQueue),
		temporal:   newTemporalBook(s.cfg.TaskQueue),
	}
}

// look asks both once. Temporal goes first: a run writes its end to the ledger
// before Temporal closes it, so what the ledger says afterwards is never older.
// thorough asks Temporal about every migration that the ledger does not see
// running, since its list of open ones may lag behind.
func (o *observer) look(ctx context.Context, of []migration.Migration, thorough bool) ([]view, error) {
	if err := o.askLedger(ctx, of); err != nil {
		return nil, err
	}
	o.askTemporal(ctx, of, thorough)
	if err := o.askLedger(ctx, of); err != nil {
		return nil, err
	}
	return o.views(of), nil
}

// askLedger asks it about what Temporal has said up to now.
func (o *observer) askLedger(ctx context.Context, of []migration.Migration) error {
	o.heard = o.book()
	if err := o.runs.refresh(ctx, of, o.heard.executions); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	workers, err := o.session.memory.Workers(ctx)
	if err != nil {
		return ledgerDown(fmt.Errorf("ask for workers: %w", err))
	}
	o.workers = workers
	return nil
}

func (o *observer) askTemporal(ctx context.Context, of []migration.Migration, thorough bool) {
	limit := describesPerRound
	if thorough {
		limit = len(of)
	}
	o.replace(o.book().refreshed(ctx, o.session.temporal, o.suspects(of, thorough), limit, o.now()))
	o.heard = o.book()
}

// refreshTemporal asks Temporal while others go on showing the last answers.
func (o *observer) refreshTemporal(ctx context.Context, suspects []string) {
	o.replace(o.book().refreshed(ctx, o.session.temporal, suspects, describesPerRound, o.now()))
}

func (o *observer) book() *temporalBook {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.temporal
}

func (o *observer) replace(b *temporalBook) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.temporal = b
}

// suspects are the workflow ids to ask Temporal about in detail.
func (o *observer) suspects(of []migration.Migration, thorough bool) []string {
	var suspects []string
	for _, m := range of {
		r := o.runs.of(m)
		active := r != nil && !r.State.Ended()
		if active && o.now().Sub(r.LastSettle) > movedWithin || thorough && !active {
			suspects = append(suspects, m.WorkflowID())
		}
	}
	return suspects
}

// views classifies what the ledger said last, and Temporal before it.
func (o *observer) views(of []migration.Migration) []view {
	book := o.heard
	views := make([]view, len(of))
	for i, m := range of {
		views[i] = newView(m, facts{
			Now: o.now(), Run: o.runs.of(m), Execution: book.executions[m.WorkflowID()],
			Queues: book.queues, Workers: o.workers, StallAfter: o.stallAfter, StartAgain: o.session.again("start", m),
		})
	}
	return views
}

// known lists the migrations that ever ran or run now, in the accounts file or
// not, after those of the accounts file.
func (o *observer) known() []migration.Migration {
	seen := map[string]bool{}
	var all []migration.Migration
	for _, a := range o.session.accounts {
		m := config.MigrationTo(a)
		seen[m.WorkflowID()] = true
		all = append(all, m)
	}
	var others []migration.Migration
	for m := range o.runs.newest {
		if !seen[m.WorkflowID()] {
			others = append(others, m)
		}
	}
	slices.SortFunc(others, compareMigrations)
	return append(all, others...)
}

func compareMigrations(a, b migration.Migration) int {
	return cmp.Or(
		strings.Compare(a.Customer, b.Customer),
		strings.Compare(a.Account, b.Account),
		strings.Compare(a.Destination, b.Destination))
}
