package zendesk_test

import (
	"fmt"
	"testing"

	"farewell/destination/zendesk"
	"farewell/migration"
)

func TestEndpointsOwnLimitIsKept(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, map[string]any{"time_scale": 30, "plan_per_minute": 100_000})
	account := s.account()
	account.PlanPerMinute = 100_000
	a := open(t, zendesk.Options{Account: account, Timings: migration.DefaultTimings().Scaled(30)})
	// The account takes 400 deletions a minute, here two seconds, of which a
	// fifth is left to others.
	for n := range 450 {
		if err := a.Delete(within(t), migration.Tickets, fmt.Sprint(n+1)); err != nil {
			t.Fatalf("deletion %d: %v", n+1, err)
		}
	}
	if n := s.count(t, "answers_429"); n != 0 {
		t.Errorf("%d answers 429", n)
	}
}
