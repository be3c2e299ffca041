package workflows

import (
	"fmt"
	"strings"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"farewell/migration"
)

var (
	keyState     = temporal.NewSearchAttributeKeyKeyword(migration.AttributeState)
	keyAttention = temporal.NewSearchAttributeKeyBool(migration.AttributeAttention)
	keyPercent   = temporal.NewSearchAttributeKeyInt64(migration.AttributePercent)
	keyFailed    = temporal.NewSearchAttributeKeyInt64(migration.AttributeFailed)
)

// show brings the Web UI up to date: the details at every call, which costs
// nothing, and the search attributes when the state has changed or the progress
// has gone a step further.
func (r *run) show(ctx workflow.Context) error {
	workflow.SetCurrentDetails(ctx, r.details())
	return r.showAttention(ctx, r.state == migration.StateNeedsAttention)
}

func (r *run) showAttention(ctx workflow.Context, attention bool) error {
	percent, failed := r.percent(), r.total().Failed
	was := r.shown
	moved := percent-was.percent >= percentStep || percent < was.percent
	if r.state == was.state && attention == was.attention && !moved {
		return nil
	}
	r.shown = shown{state: r.state, attention: attention, percent: percent, failed: failed}
	return workflow.UpsertTypedSearchAttributes(ctx,
		keyState.ValueSet(string(r.state)),
		keyAttention.ValueSet(attention),
		keyPercent.ValueSet(int64(percent)),
		keyFailed.ValueSet(failed),
	)
}

// byEntity adds up the partitions. What the ledger has added up counts more.
func (r *run) byEntity() migration.EntityCounts {
	if r.exact != nil {
		return r.exact
	}
	sums := migration.EntityCounts{}
	for _, id := range workflow.DeterministicKeys(r.counts) {
		e := r.entityOf[id]
		sums[e] = sums[e].Add(r.counts[id])
	}
	return sums
}

func (r *run) total() migration.Counts { return r.byEntity().Total() }

// percent is how much of the plan is settled; a migration that completed is
// done, also where the source has lost rows since the plan.
func (r *run) percent() int {
	if r.state == migration.StateCompleted || r.state == migration.StateCompletedWithFailures {
		return 100
	}
	var rows int64
	for _, e := range workflow.DeterministicKeys(r.rows) {
		rows += r.rows[e]
	}
	if rows == 0 {
		return 0
	}
	return int(min(100, 100*r.total().Settled()/rows))
}

// progress is a snapshot for queries, updates and the result.
func (r *run) progress() migration.Progress {
	p := migration.Progress{
		Migration:  r.in.Migration,
		Run:        r.id,
		State:      r.state,
		Reason:     r.reason,
		Percent:    r.percent(),
		Counts:     r.byEntity(),
		Comparison: r.comparison.Add(r.compared),
		Duplicates: r.sweep.Repaired,
		Parked:     r.parkedList(),
		Bundle:     r.bundle,
	}
	if r.paused != nil {
		p.PausedBy = r.paused.By
	}
	return p
}

func (r *run) parkedList() []migration.Parked {
	var list []migration.Parked
	for _, id := range workflow.DeterministicKeys(r.parked) {
		list = append(list, r.parked[id])
	}
	return list
}

// details is the progress table that the Web UI shows, in Markdown.
func (r *run) details() string {
	var b strings.Builder
	fmt.Fprintf(&b, "**%s** · %d %%", r.state, r.percent())
	if r.reason.Text != "" {
		fmt.Fprintf(&b, " · %s", r.reason.Text)
	}
	b.WriteString("\n\n| | read | created | already there | skipped | failed | in doubt |\n|---|--:|--:|--:|--:|--:|--:|\n")
	sums := r.byEntity()
	for _, e := range migration.Work() {
		c := sums[e]
		if !e.IsRecord() && c == (migration.Counts{}) {
			continue
		}
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %d | %d |\n", e, c.Read, c.Created, c.AlreadyThere, c.Skipped, c.Failed, c.InDoubt)
	}
	for _, p := range r.parkedList() {
		fmt.Fprintf(&b, "\nParked: **%s**: %s. %s\n", p.Partition, p.Text, p.Fix)
	}
	return b.String()
}
