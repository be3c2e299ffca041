package ledger_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"farewell/ledger"
	"farewell/migration"
)

// TestFastCountsEqualExactCountsEqualTheModel walks at random through splits,
// refusals, retries, takeovers, runs and people met on demand, and compares
// the ledger's two ways of counting with a model that knows each record.
func TestFastCountsEqualExactCountsEqualTheModel(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			l, _ := open(t)
			w := newWalk(t, l, seed)
			for step := range 160 {
				w.step()
				if step%4 == 3 {
					w.check(step)
				}
				if t.Failed() {
					return
				}
			}
		})
	}
}

// walk is a random history and the model of what must come of it.
type walk struct {
	t          *testing.T
	l          *ledger.Ledger
	random     *rand.Rand
	run        string
	runs       int
	partitions []*partition
	open       []*openBatch
	records    map[migration.Entity]map[string]*record
	generation int
}

type partition struct {
	migration.Partition
	hold   migration.Hold
	unread []string // what the cursor has not reached so far
	read   []string
}

type openBatch struct {
	migration.Batch
	partition *partition
	late      bool // its send_by has passed
	answered  bool
	doubtful  bool
}

type record struct {
	partition string // that decided last, or first had it
	outcome   migration.Outcome
	run       string
	open      *openBatch
}

func newWalk(t *testing.T, l *ledger.Ledger, seed uint64) *walk {
	w := &walk{t: t, l: l, random: rand.New(rand.NewPCG(seed, 7)), records: map[migration.Entity]map[string]*record{}}
	for _, e := range []migration.Entity{migration.Tickets, migration.Users} {
		w.records[e] = map[string]*record{}
		for n := 1; n <= 2; n++ {
			p := &partition{Partition: migration.Partition{ID: migration.PartitionID(e, n), Entity: e}, unread: ids(n*100, n*100+60)}
			w.partitions = append(w.partitions, p)
		}
	}
	var plan migration.Plan
	for _, p := range w.partitions {
		plan.Partitions = append(plan.Partitions, p.Partition)
	}
	_, err := l.SavePlan(t.Context(), acme, plan)
	must(t, err)
	if seed%2 == 0 {
		w.meetOnDemand()
	}
	w.newRun()
	return w
}

// meetOnDemand adds the people who were met on demand, some of them in a range.
func (w *walk) meetOnDemand() {
	w.partitions = append(w.partitions, &partition{Partition: migration.OnDemand(migration.Users), read: append(ids(100, 130), ids(900, 910)...)})
}

func (w *walk) step() {
	switch n := w.random.IntN(20); {
	case n == 0:
		if len(w.partitions) == 4 {
			w.meetOnDemand()
		}
		w.newRun()
	case n == 1:
		p := w.partitions[w.random.IntN(len(w.partitions))]
		p.hold = takeOver(w.t, w.l, p.Partition, w.run)
	case n < 6:
		w.readOn()
	case n < 10:
		w.takeAgain()
	case n < 13:
		w.learn()
	default:
		w.settle()
	}
}

func (w *walk) newRun() {
	w.runs++
	w.run = fmt.Sprint("run-", w.runs)
	must(w.t, w.l.BeginRun(w.t.Context(), acme, w.run, migration.Options{}))
	for _, p := range w.partitions {
		p.hold = takeOver(w.t, w.l, p.Partition, w.run)
	}
}

// readOn makes the next batch of a partition's cursor.
func (w *walk) readOn() {
	p := w.partitions[w.random.IntN(4)]
	var taken []string
	for len(p.unread) > 0 && len(taken) < 1+w.random.IntN(8) && w.free(p, p.unread[0]) {
		taken, p.unread = append(taken, p.unread[0]), p.unread[1:]
	}
	if len(taken) > 0 {
		p.read = append(p.read, taken...)
		w.intend(p, batch(p.hold, 0, 0, true, taken))
	}
}

// takeAgain makes a batch of records of any fate, as retries and splits do.
func (w *walk) takeAgain() {
	p := w.partitions[w.random.IntN(len(w.partitions))]
	var taken []string
	for _, i := range w.random.Perm(len(p.read)) {
		if len(taken) < 5 && w.free(p, p.read[i]) {
			taken = append(taken, p.read[i])
		}
	}
	if len(taken) > 0 {
		w.generation++
		w.intend(p, batch(p.hold, w.random.IntN(3), w.generation, w.random.IntN(2) == 0, taken))
	}
}

func (w *walk) free(p *partition, id string) bool {
	r := w.records[p.Entity][id]
	return r == nil || r.open == nil
}

func (w *walk) intend(p *partition, b migration.Batch) {
	o := &openBatch{Batch: b, partition: p, late: w.random.IntN(3) == 0}
	within := sending
	if o.late {
		within = -time.Second
	}
	for range 1 + w.random.IntN(2) { // repeating is harmless
		_, err := w.l.Intend(w.t.Context(), p.hold, b, within)
		must(w.t, err)
	}
	for _, id := range b.SourceIDs {
		r := w.records[p.Entity][id]
		if r == nil {
			r = &record{partition: p.ID}
			w.records[p.Entity][id] = r
		}
		r.open = o
	}
	w.open = append(w.open, o)
}

func (w *walk) learn() {
	if len(w.open) == 0 {
		return
	}
	b := w.open[w.random.IntN(len(w.open))]
	kind := []migration.EvidenceKind{migration.EvidenceAccepted, migration.EvidenceUnanswered}[w.random.IntN(2)]
	must(w.t, w.l.Record(w.t.Context(), acme, b.ID, migration.Evidence{Kind: kind, JobID: "job"}))
	b.answered = true
	b.doubtful = b.doubtful || kind == migration.EvidenceUnanswered
}

func (w *walk) settle() {
	if len(w.open) == 0 {
		return
	}
	at := w.random.IntN(len(w.open))
	b := w.open[at]
	p := b.partition
	outcomes := make([]byte, len(b.SourceIDs))
	for i := range outcomes {
		outcomes[i] = "ccccasff--"[w.random.IntN(10)]
	}
	s := settlement(b.Batch, string(outcomes))
	for range 1 + w.random.IntN(2) { // repeating is harmless
		if w.random.IntN(2) == 0 {
			must(w.t, w.l.Settle(w.t.Context(), p.hold, b.ID, s))
		} else {
			must(w.t, w.l.RecordAndSettle(w.t.Context(), p.hold, b.ID, migration.Evidence{Kind: migration.EvidenceResults, Items: s.Items}, s))
		}
	}
	w.open = slices.Delete(w.open, at, at+1)
	for i, id := range b.SourceIDs {
		r := w.records[p.Entity][id]
		r.open = nil
		if o := migration.Outcome(outcomes[i]); o != migration.NotSent {
			r.outcome, r.run, r.partition = o, w.run, p.ID
		}
	}
}

// check compares the sums of all entities, of each partition, and the fate of
// each record.
func (w *walk) check(step int) {
	want, byPartition := w.expected()
	fast, err := w.l.Counts(w.t.Context(), acme, w.run)
	must(w.t, err)
	exact, err := w.l.ExactCounts(w.t.Context(), acme, w.run)
	must(w.t, err)
	for e := range w.records {
		if exact[e] != want[e] {
			w.t.Errorf("step %d: exact counts of %s = %+v, want %+v", step, e, exact[e], want[e])
		}
		if fast[e] != want[e] {
			w.t.Errorf("step %d: fast counts of %s = %+v, want %+v", step, e, fast[e], want[e])
		}
		w.checkOutcomes(step, e)
	}
	for _, p := range w.partitions {
		got, err := w.l.PartitionCounts(w.t.Context(), acme, w.run, p.ID)
		must(w.t, err)
		if got != byPartition[p.ID] {
			w.t.Errorf("step %d: counts of %s = %+v, want %+v", step, p.ID, got, byPartition[p.ID])
		}
	}
}

func (w *walk) expected() (migration.EntityCounts, map[string]migration.Counts) {
	all, byPartition := migration.EntityCounts{}, map[string]migration.Counts{}
	for e, records := range w.records {
		for _, r := range records {
			c := migration.Counts{Read: 1}
			in := r.partition
			switch {
			case r.open != nil:
				in = r.open.partition.ID
				if r.open.doubtful || !r.open.answered && r.open.late {
					c.InDoubt = 1
				}
			case r.outcome == migration.Created && r.run == w.run:
				c.Created = 1
			case r.outcome == migration.Created || r.outcome == migration.AlreadyThere:
				c.AlreadyThere = 1
			case r.outcome == migration.Skipped:
				c.Skipped = 1
			case r.outcome == migration.Failed:
				c.Failed = 1
			}
			all[e] = all[e].Add(c)
			byPartition[in] = byPartition[in].Add(c)
		}
	}
	return all, byPartition
}

func (w *walk) checkOutcomes(step int, e migration.Entity) {
	seen := map[string]bool{}
	must(w.t, w.l.AllOutcomes(w.t.Context(), acme, e, func(partition, id string, got ledger.RecordState) error {
		if seen[id] {
			w.t.Errorf("step %d: %s %s is listed twice", step, e, id)
		}
		seen[id] = true
		r := w.records[e][id]
		want := r.outcome
		if r.open != nil {
			want = 0
		}
		if got.Outcome != want || want != 0 && got.Run != r.run {
			w.t.Errorf("step %d: %s %s ended %q in %s, want %q in %s", step, e, id, got.Outcome, got.Run, want, r.run)
		}
		return nil
	}))
	failures := 0
	must(w.t, w.l.Failures(w.t.Context(), acme, func(f migration.Failure) error {
		if r := w.records[f.Entity][f.SourceID]; f.Entity == e && (r.outcome != migration.Failed && r.outcome != migration.Skipped) {
			w.t.Errorf("step %d: healed failure %+v is listed", step, f)
		}
		if f.Entity == e {
			failures++
		}
		return nil
	}))
	for id, r := range w.records[e] {
		if !seen[id] && (r.open != nil || r.outcome != 0) {
			w.t.Errorf("step %d: %s %s is not listed", step, e, id)
		}
		if r.outcome == migration.Failed || r.outcome == migration.Skipped {
			failures--
		}
	}
	if failures != 0 {
		w.t.Errorf("step %d: %d failures of %s too many", step, failures, e)
	}
}
