package ledger_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"farewell/migration"
)

func TestTakersTogetherNeverGetMoreThanTheLimit(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	window := time.Now().Truncate(time.Minute)
	const limit = 100
	var granted atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for want := 1; ; want = want%4 + 1 {
				n, err := l.Take(t.Context(), "acme-zd", window, want, limit)
				if err != nil || n > want || n < 0 {
					t.Errorf("wanted %d, granted %d: %v", want, n, err)
					return
				}
				if n == 0 {
					return
				}
				if granted.Add(int64(n)) > limit {
					return
				}
			}
		})
	}
	all.Wait()
	if granted.Load() != limit {
		t.Errorf("granted %d, want %d", granted.Load(), limit)
	}
	for _, test := range []struct {
		name    string
		account string
		window  time.Time
		want    int
		limit   int
		granted int
	}{
		{"same window, limit lowered", "acme-zd", window, 5, 50, 0},
		{"same window, limit raised", "acme-zd", window, 5, 103, 3},
		{"next window", "acme-zd", window.Add(time.Minute), 200, limit, 100},
		{"another account", "beta-zd", window, 7, limit, 7},
		{"nothing wanted", "gamma-zd", window, 0, limit, 0},
		{"nothing granted to anybody", "gamma-zd", window, 1, 0, 0},
		{"a window long past is empty", "acme-zd", window.Add(-time.Hour), 1, limit, 1},
	} {
		n, err := l.Take(t.Context(), test.account, test.window, test.want, test.limit)
		if err != nil || n != test.granted {
			t.Errorf("%s: granted %d, want %d: %v", test.name, n, test.granted, err)
		}
	}
}

func TestPauseOfAnAccountReachesEveryFollower(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	here, there := follow(t, l), follow(t, l)
	until := time.Now().Add(time.Hour)
	heard := there.Changed()
	must(t, here.Pause(t.Context(), "acme-zd", until, "Retry-After of 429"))
	if _, why := here.PausedUntil("acme-zd"); why != "Retry-After of 429" {
		t.Errorf("not known at once where it was said: %q", why)
	}
	select {
	case <-heard:
	case <-time.After(time.Second):
		t.Fatal("not heard within a second")
	}
	must(t, l.Pause(t.Context(), "acme-zd", until.Add(-time.Minute), "a shorter one"))
	if at, why := there.PausedUntil("acme-zd"); at.Sub(until).Abs() > time.Millisecond || why != "Retry-After of 429" {
		t.Errorf("paused until %v: %s", at, why)
	}
	must(t, l.Pause(t.Context(), "past", time.Now().Add(-time.Second), "over"))
	for _, account := range []string{"past", "beta-zd"} {
		if at, _ := there.PausedUntil(account); !at.IsZero() {
			t.Errorf("%s is paused until %v", account, at)
		}
	}
	if late := follow(t, l); late.Control(acme, "x") != migration.ControlRun {
		t.Error("a word out of nothing")
	} else if at, _ := late.PausedUntil("acme-zd"); at.IsZero() {
		t.Error("a follower that starts later does not know of the pause")
	}
}
