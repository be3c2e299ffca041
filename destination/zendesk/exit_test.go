package zendesk_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"farewell/destination"
	"farewell/destination/zendesk"
	"farewell/migration"
)

// scriptedEgress is an egress that does what its test says.
type scriptedEgress struct {
	mu      sync.Mutex
	egress  migration.Egress
	next    time.Time
	every   time.Duration
	blocks  []string // accounts
	claims  int
	results []migration.ProbeResult
}

func (s *scriptedEgress) Slots(_ context.Context, want int) (migration.Departures, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := time.Now(); s.next.Before(now) {
		s.next = now
	}
	d := migration.Departures{First: s.next, Every: s.every, Granted: want}
	s.next = s.next.Add(time.Duration(want) * s.every)
	return d, nil
}

func (s *scriptedEgress) Gate(string) (migration.Egress, time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.egress, time.Time{}
}

func (s *scriptedEgress) Block(_ context.Context, account, _ string, _, _ time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.blocks = append(s.blocks, account)
	s.egress.State, s.egress.Account, s.egress.ProbeAt = migration.EgressBlocked, account, time.Now()
	return nil
}

func (s *scriptedEgress) ClaimProbe(context.Context) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.claims++
	return true, nil
}

func (s *scriptedEgress) Probed(_ context.Context, r migration.ProbeResult) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.results = append(s.results, r)
	if r == migration.ProbeWell {
		s.egress.State = migration.EgressOpen
	}
	return nil
}

func (s *scriptedEgress) set(state migration.EgressState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.egress.State = state
}

// openThrough opens the sandbox's account behind a shared way out.
func (s *sandbox) openThrough(t *testing.T, x *zendesk.Exit, name string) *zendesk.Account {
	t.Helper()
	account := s.account()
	account.Name = name
	return open(t, zendesk.Options{Account: account, Timings: migration.DefaultTimings(), Exit: x})
}

// look makes one request.
func look(a *zendesk.Account) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_, err := a.Prepare(ctx, destination.PrepareInput{
		Entity: migration.Users, Page: migration.Page{Users: []migration.User{{ID: "1"}}}, Directory: nobody,
	})
	return err
}

func TestCapHoldsOverAllAccountsOfAProcess(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, map[string]any{"plan_per_minute": 100000, "time_scale": 1})
	x := zendesk.NewExit(&scriptedEgress{egress: migration.Egress{State: migration.EgressOpen, PerSecond: 20}, every: 50 * time.Millisecond}, nil)
	began := time.Now()
	var all sync.WaitGroup
	for _, name := range []string{"one", "two", "three"} {
		a := s.openThrough(t, x, name)
		for range 7 {
			all.Go(func() {
				if err := look(a); err != nil {
					t.Error(err)
				}
			})
		}
	}
	all.Wait()
	sent := s.count(t, "requests")
	if least := time.Duration(sent-1) * 50 * time.Millisecond; time.Since(began) < least {
		t.Errorf("%d requests left in %v, want at least %v", sent, time.Since(began), least)
	}
}

func TestEdgeBlockStopsOtherAccountsUntilOneOfThemIsWell(t *testing.T) {
	t.Parallel()
	odd, well := newSandbox(t, nil), newSandbox(t, nil)
	script := &scriptedEgress{egress: migration.Egress{State: migration.EgressOpen}}
	x := zendesk.NewExit(script, nil)
	first, second := odd.openThrough(t, x, "odd"), well.openThrough(t, x, "well")
	if err := look(second); err != nil {
		t.Fatal(err)
	}
	before := odd.count(t, "requests")
	odd.configure(t, map[string]any{"edge_block": true})
	if err := look(first); destination.KindOf(err) != destination.Blocked {
		t.Fatalf("error %v, want blocked", err)
	}
	if err := look(second); err != nil {
		t.Errorf("after the probe: %v", err)
	}
	if len(script.blocks) != 1 || script.blocks[0] != "odd" {
		t.Errorf("blocks told: %v, want odd's", script.blocks)
	}
	if script.claims != 1 || len(script.results) != 1 || script.results[0] != migration.ProbeWell {
		t.Errorf("%d probes, results %v, want one that was well", script.claims, script.results)
	}
	if n := odd.count(t, "requests") - before; n != 1 {
		t.Errorf("the odd account got %d requests, want the one that met the block and no probe", n)
	}
}

func TestClosedEgressLetsNothingOutAndIsNotProbed(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, nil)
	script := &scriptedEgress{egress: migration.Egress{State: migration.EgressClosed}}
	a := s.openThrough(t, zendesk.NewExit(script, nil), "acme")
	answered := make(chan error, 1)
	go func() { answered <- look(a) }()
	eventually(t, time.Second, func() bool { return a.WaitingFor().Code == "egress_closed" })
	if n := s.count(t, "requests"); n != 0 || script.claims != 0 {
		t.Errorf("%d requests, %d probes, want none", n, script.claims)
	}
	script.set(migration.EgressOpen)
	if err := <-answered; err != nil {
		t.Error(err)
	}
}
