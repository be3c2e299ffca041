package ledger_test

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"farewell/ledger"
	"farewell/migration"
)

// TestNoInterleavingLosesOrDoublesARecord has attempts follow the write
// protocol step by step, in any order, over an account of which only the
// protocol keeps duplicates away. Attempts die and sleep between any two steps,
// requests arrive late, and evidence comes when nobody asks any more.
func TestNoInterleavingLosesOrDoublesARecord(t *testing.T) {
	t.Parallel()
	if given := flag.Lookup("rapid.checks"); given.Value.String() == given.DefValue {
		must(t, given.Value.Set("40")) // histories, each of some 30 steps: ten seconds
	}
	l, _ := open(t)
	var customers atomic.Int64
	rapid.Check(t, func(rt *rapid.T) {
		m := &machine{rt: rt, ctx: t, l: l, of: acme, account: map[string]int{}}
		m.of.Customer = fmt.Sprint("customer-", customers.Add(1))
		if err := l.BeginRun(t.Context(), m.of, "run-1", migration.Options{}); err != nil {
			rt.Fatal(err)
		}
		m.takeOver()
		rt.Repeat(map[string]func(*rapid.T){
			"":          func(*rapid.T) { m.check() },
			"take over": func(*rapid.T) { m.takeOver() },
			"intend":    func(*rapid.T) { m.intend() },
			"send":      func(*rapid.T) { m.send() },
			"arrive":    func(*rapid.T) { m.arrive() },
			"record":    func(*rapid.T) { m.record() },
			"settle":    func(*rapid.T) { m.settle() },
			"look up":   func(*rapid.T) { m.lookUp() },
			"die":       func(*rapid.T) { m.die() },
		})
		m.finish()
	})
}

// machineRecords is how many records the partition holds.
const machineRecords = 12

type machine struct {
	rt       *rapid.T
	ctx      *testing.T
	l        *ledger.Ledger
	of       migration.Migration
	attempts []*machineAttempt
	batches  []*machineBatch
	account  map[string]int // live records by source id
	fence    int64
}

// machineAttempt is a process that works on the partition, or thinks so.
type machineAttempt struct {
	hold   migration.Hold
	taken  map[string]bool // decided, or on its way, as far as it knows
	sent   map[string]int  // batches of the same records, as far as it knows
	dead   bool
	before []*machineBatch // left open by others
}

type machineBatch struct {
	migration.Batch
	by       *machineAttempt
	underWay bool // written to the wire, and not arrived
	arrived  bool
	expired  bool // can never arrive any more, by send_by and the waiting rule
	settled  bool
}

func (m *machine) alive() []*machineAttempt {
	return slices.DeleteFunc(slices.Clone(m.attempts), func(a *machineAttempt) bool { return a.dead })
}

func pick[T any](m *machine, what string, from []T) (T, bool) {
	if len(from) == 0 {
		var none T
		return none, false
	}
	return rapid.SampledFrom(from).Draw(m.rt, what), true
}

func (m *machine) takeOver() {
	state, err := m.l.TakeOver(m.ctx.Context(), m.of, tickets(1), "run-1")
	if err != nil {
		m.rt.Fatal(err)
	}
	if state.Hold.Fence <= m.fence {
		m.rt.Fatalf("fence %d after %d", state.Hold.Fence, m.fence)
	}
	m.fence = state.Hold.Fence
	a := &machineAttempt{hold: state.Hold, taken: map[string]bool{}, sent: map[string]int{}}
	for _, b := range state.Batches {
		a.sent[fmt.Sprint(b.SourceIDs)]++
		for i, id := range b.SourceIDs {
			a.taken[id] = !b.Settled || b.Outcomes[i] != migration.NotSent
		}
		if !b.Settled {
			i := slices.IndexFunc(m.batches, func(known *machineBatch) bool { return known.ID == b.ID })
			if i < 0 {
				m.rt.Fatalf("the ledger has a batch %s that nobody intended", b.ID)
			}
			a.before = append(a.before, m.batches[i])
		}
	}
	m.attempts = append(m.attempts, a)
}

// current tells whether the attempt may decide.
func (m *machine) current(a *machineAttempt) bool { return a.hold.Fence == m.fence }

func (m *machine) intend() {
	a, ok := pick(m, "attempt", m.alive())
	if !ok {
		return
	}
	var free []string
	for n := 1; n <= machineRecords; n++ {
		if id := fmt.Sprint(n); !a.taken[id] {
			free = append(free, id)
		}
	}
	if len(free) == 0 {
		return
	}
	ids := free[:rapid.IntRange(1, min(3, len(free))).Draw(m.rt, "size")]
	b := batch(a.hold, 0, a.sent[fmt.Sprint(ids)], false, ids)
	times := rapid.IntRange(1, 2).Draw(m.rt, "times") // an uncertain commit is repeated
	for range times {
		_, err := m.l.Intend(m.ctx.Context(), a.hold, b, time.Minute)
		if !m.current(a) {
			if !errors.Is(err, ledger.ErrFenced) {
				m.rt.Fatalf("a stale attempt's intent: %v", err)
			}
			return
		}
		if err != nil {
			m.rt.Fatal(err)
		}
	}
	a.sent[fmt.Sprint(ids)]++
	for _, id := range ids {
		a.taken[id] = true
	}
	m.batches = append(m.batches, &machineBatch{Batch: b, by: a})
}

func (m *machine) some(which func(*machineBatch) bool) (*machineBatch, bool) {
	return pick(m, "batch", slices.DeleteFunc(slices.Clone(m.batches), func(b *machineBatch) bool { return !which(b) }))
}

// send writes the request, once, by the attempt that has the intent and before
// its time is over.
func (m *machine) send() {
	b, ok := m.some(func(b *machineBatch) bool {
		return !b.by.dead && !b.underWay && !b.arrived && !b.expired
	})
	if ok {
		b.underWay = true
	}
}

func (m *machine) arrive() {
	b, ok := m.some(func(b *machineBatch) bool { return b.underWay && !b.expired })
	if !ok {
		return
	}
	b.underWay, b.arrived = false, true
	for _, id := range b.SourceIDs {
		m.account[id]++
	}
}

// record brings evidence, which is taken from anybody at any time.
func (m *machine) record() {
	b, ok := m.some(func(b *machineBatch) bool { return b.arrived || b.underWay })
	if !ok {
		return
	}
	e := migration.Evidence{Kind: migration.EvidenceUnanswered, Note: "no answer"}
	if b.arrived {
		e = rapid.SampledFrom([]migration.Evidence{
			{Kind: migration.EvidenceAccepted, JobID: "job-" + b.ID},
			{Kind: migration.EvidenceResults, Items: m.created(b)},
		}).Draw(m.rt, "evidence")
	}
	if err := m.l.Record(m.ctx.Context(), m.of, b.ID, e); err != nil {
		m.rt.Fatalf("evidence was refused: %v", err)
	}
}

func (m *machine) created(b *machineBatch) []migration.Item {
	return items(b.Batch, string(slices.Repeat([]byte{byte(migration.Created)}, len(b.SourceIDs))))
}

// settle decides by the answer that the sender got.
func (m *machine) settle() {
	b, ok := m.some(func(b *machineBatch) bool { return b.arrived && !b.by.dead })
	if !ok {
		return
	}
	s := migration.Settlement{Items: m.created(b), Verdict: "results"}
	err := m.l.RecordAndSettle(m.ctx.Context(), b.by.hold, b.ID, migration.Evidence{Kind: migration.EvidenceResults, Items: s.Items}, s)
	switch {
	case !m.current(b.by):
		if !errors.Is(err, ledger.ErrFenced) {
			m.rt.Fatalf("a stale attempt's decision: %v", err)
		}
		b.by.dead = true
	case err != nil:
		m.rt.Fatal(err)
	default:
		b.settled = true
	}
}

// lookUp resolves what an earlier attempt left open: by then either it has
// arrived, or it never will.
func (m *machine) lookUp() {
	a := m.attempts[len(m.attempts)-1]
	if a.dead || len(a.before) == 0 {
		return
	}
	m.resolve(a)
}

func (m *machine) resolve(a *machineAttempt) {
	b := a.before[0]
	a.before = a.before[1:]
	outcomes, verdict := byte(migration.Created), "found"
	if !b.arrived {
		b.underWay, b.expired = false, true
		outcomes = byte(migration.NotSent)
	}
	list := items(b.Batch, string(slices.Repeat([]byte{outcomes}, len(b.SourceIDs))))
	s := migration.Settlement{Items: list, Verdict: verdict}
	err := m.l.RecordAndSettle(m.ctx.Context(), a.hold, b.ID, migration.Evidence{Kind: migration.EvidenceFound, Items: list}, s)
	if err != nil {
		m.rt.Fatal(err)
	}
	b.settled = true
	for _, id := range b.SourceIDs {
		a.taken[id] = b.arrived
	}
}

func (m *machine) die() {
	if a, ok := pick(m, "attempt", m.alive()); ok {
		a.dead = true
	}
}

// check is what must hold at any moment.
func (m *machine) check() {
	for id, n := range m.account {
		if n > 1 {
			m.rt.Fatalf("record %s is in the account %d times", id, n)
		}
	}
	exact, err := m.l.ExactCounts(m.ctx.Context(), m.of, "run-1")
	if err != nil {
		m.rt.Fatal(err)
	}
	fast, err := m.l.Counts(m.ctx.Context(), m.of, "run-1")
	if err != nil {
		m.rt.Fatal(err)
	}
	if exact[migration.Tickets] != fast[migration.Tickets] {
		m.rt.Fatalf("exact counts %+v, fast counts %+v", exact[migration.Tickets], fast[migration.Tickets])
	}
	read := map[string]bool{}
	created := map[string]bool{}
	for _, b := range m.batches {
		for _, id := range b.SourceIDs {
			read[id] = true
			created[id] = created[id] || b.settled && b.arrived
		}
	}
	settled := 0
	for id, is := range created {
		if is {
			settled++
			if m.account[id] != 1 {
				m.rt.Fatalf("record %s is settled as created and %d times in the account", id, m.account[id])
			}
		}
	}
	if got := exact[migration.Tickets]; got.Read != int64(len(read)) || got.Created != int64(settled) {
		m.rt.Fatalf("the ledger counts %+v, want %d read and %d created", got, len(read), settled)
	}
}

// finish is one last attempt that nothing happens to.
func (m *machine) finish() {
	m.takeOver()
	a := m.attempts[len(m.attempts)-1]
	for len(a.before) > 0 {
		m.resolve(a)
	}
	for n := 1; n <= machineRecords; n++ {
		id := fmt.Sprint(n)
		if a.taken[id] {
			continue
		}
		b := &machineBatch{Batch: batch(a.hold, 0, a.sent[fmt.Sprint([]string{id})], false, []string{id}), by: a, arrived: true}
		if _, err := m.l.Intend(m.ctx.Context(), a.hold, b.Batch, time.Minute); err != nil {
			m.rt.Fatal(err)
		}
		m.batches = append(m.batches, b)
		m.account[id]++
		if err := m.l.Settle(m.ctx.Context(), a.hold, b.ID, migration.Settlement{Items: m.created(b), Verdict: "results"}); err != nil {
			m.rt.Fatal(err)
		}
		b.settled = true
	}
	m.check()
	for n := 1; n <= machineRecords; n++ {
		if got := m.account[fmt.Sprint(n)]; got != 1 {
			m.rt.Fatalf("record %d is in the account %d times in the end", n, got)
		}
	}
}
