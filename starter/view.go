package main

import (
	"encoding/json"
	"time"

	"farewell/migration"
)

// stateNotStarted is what a migration is called that has no run. It is no state
// of a migration, so it is not among those of the vocabulary.
const stateNotStarted migration.State = "not_started"

// view is one migration as list, status and watch show it.
type view struct {
	migration.Migration
	State   migration.State
	Reason  migration.Reason
	Percent int
	Run     migration.RunRecord // zero: the ledger knows of none
	RunID   string              // Temporal's
	Changes int64               // made to records on their way; known to status only
}

// newView makes the view of what is known.
func newView(m migration.Migration, f facts) view {
	v := view{Migration: m, RunID: f.Execution.Run}
	v.State, v.Reason = classify(f)
	if v.State == "" {
		v.State = stateNotStarted
	}
	if f.Run != nil && !f.accepted() {
		v.Run, v.RunID = *f.Run, f.Run.Run
	}
	v.Percent = percent(v.State, v.Run)
	return v
}

// counts of an entity.
func (v view) counts(e migration.Entity) migration.Counts { return v.Run.Counts[e] }

// percent is how much of the plan is settled; of a trial, how many of its
// tickets, since it takes only the people whom those name. A run that has not
// ended is never shown as complete.
func percent(s migration.State, r migration.RunRecord) int {
	var planned, settled int64
	for _, e := range migration.Entities() {
		if r.Limit == 0 || e == migration.Tickets {
			rows := r.Planned[e].Read
			planned += rows
			settled += min(rows, r.Counts[e].Settled()) // late records exceed the plan
		}
	}
	switch {
	case s == migration.StateCompleted || s == migration.StateCompletedWithFailures:
		return 100
	case planned == 0:
		return 0
	}
	return int(min(99, 100*settled/planned))
}

// viewJSON is a view for scripts. Its names are promised.
type viewJSON struct {
	Customer      string               `json:"customer"`
	Destination   string               `json:"destination"`
	Account       string               `json:"account"`
	State         migration.State      `json:"state"`
	Reason        string               `json:"reason"`
	ReasonCode    string               `json:"reason_code"`
	ReasonSince   time.Time            `json:"reason_since,omitzero"`
	ReasonUntil   time.Time            `json:"reason_until,omitzero"`
	Percent       int                  `json:"percent"`
	Organizations migration.Counts     `json:"organizations"`
	Users         migration.Counts     `json:"users"`
	Tickets       migration.Counts     `json:"tickets"`
	Attachments   migration.Counts     `json:"attachments"`
	Memberships   migration.Counts     `json:"memberships"`
	Suspensions   migration.Counts     `json:"suspensions"`
	Placeholders  migration.Counts     `json:"placeholders"`
	Comparison    migration.Comparison `json:"comparison"`
	Duplicates    int64                `json:"duplicates_repaired"`
	Changes       int64                `json:"changes,omitzero"`
	Parked        []migration.Parked   `json:"parked"`
	WorkflowID    string               `json:"workflow_id"`
	RunID         string               `json:"run_id"`
	StartedAt     time.Time            `json:"started_at,omitzero"`
	EndedAt       time.Time            `json:"ended_at,omitzero"`
	By            string               `json:"by"`
	Why           string               `json:"why"`
}

func (v view) MarshalJSON() ([]byte, error) {
	parked := v.Run.Parked
	if parked == nil {
		parked = []migration.Parked{}
	}
	return json.Marshal(viewJSON{
		Customer: v.Customer, Destination: v.Destination, Account: v.Account,
		State: v.State, Reason: v.Reason.Text, ReasonCode: v.Reason.Code,
		ReasonSince: v.Reason.Since, ReasonUntil: v.Reason.Until, Percent: v.Percent,
		Organizations: v.counts(migration.Organizations),
		Users:         v.counts(migration.Users),
		Tickets:       v.counts(migration.Tickets),
		Attachments:   v.counts(migration.Attachments),
		Memberships:   v.counts(migration.Memberships),
		Suspensions:   v.counts(migration.Suspensions),
		Placeholders:  v.counts(migration.Placeholders),
		Comparison:    v.Run.Comparison, Duplicates: v.Run.Duplicates, Changes: v.Changes, Parked: parked,
		WorkflowID: v.WorkflowID(), RunID: v.RunID,
		StartedAt: v.Run.StartedAt, EndedAt: v.Run.EndedAt, By: v.Run.By, Why: v.Run.Why,
	})
}
