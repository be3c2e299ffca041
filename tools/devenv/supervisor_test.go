package main

import (
	"context"
	"os"
	"syscall"
	"testing"
	"time"
)

// supervised runs a supervisor in this process; it has stopped when the test
// ends.
type supervised struct {
	dir    string
	reload chan os.Signal
	stop   func()
}

func supervise(t *testing.T, p plan) supervised {
	t.Helper()
	s := supervised{dir: t.TempDir(), reload: make(chan os.Signal, 1)}
	if err := p.write(s.dir); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- newSupervisor(s.dir).run(ctx, s.reload) }()
	stopped := false
	s.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(s.stop)
	return s
}

// await returns the first state that fits.
func (s supervised) await(t *testing.T, what string, fits func(state) bool) state {
	t.Helper()
	var current state
	err := waitUntil(t.Context(), 20*time.Second, func() bool {
		var err error
		current, err = readState(s.dir)
		return err == nil && fits(current)
	})
	if err != nil {
		t.Fatalf("%s: %v; the state is %+v", what, err, current)
	}
	return current
}

func sleeper(name, seconds string) server {
	return server{Name: name, Args: []string{"/bin/sleep", seconds}, Dir: "/", StopSignal: syscall.SIGTERM, StopTimeout: 5 * time.Second}
}

func pidOf(t *testing.T, s state, name string) process {
	t.Helper()
	one, found := s.find(name)
	if !found {
		t.Fatalf("no server %s in %+v", name, s)
	}
	return one.Process
}

func TestSupervisorStartsAKilledServerAgain(t *testing.T) {
	t.Parallel()
	s := supervise(t, plan{Servers: []server{sleeper("worker", "1000")}})
	first := pidOf(t, s.await(t, "start", func(st state) bool { return st.running("worker") }), "worker")
	if err := first.signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	again := s.await(t, "start again", func(st state) bool {
		one, _ := st.find("worker")
		return one.Restarts == 1 && one.Process.alive()
	})
	if one, _ := again.find("worker"); one.LastExit != "signal: killed" {
		t.Errorf("the last exit is described as %q", one.LastExit)
	}
}

func TestSupervisorStopsEveryServerWithItself(t *testing.T) {
	t.Parallel()
	s := supervise(t, plan{Servers: []server{sleeper("postgres", "1000"), sleeper("worker", "1000")}})
	running := s.await(t, "start", func(st state) bool { return st.running("postgres") && st.running("worker") })
	s.stop()
	for _, name := range []string{"postgres", "worker"} {
		if pidOf(t, running, name).alive() {
			t.Errorf("%s still runs", name)
		}
	}
}

func TestSupervisorRestartsOnlyWhatHasChanged(t *testing.T) {
	t.Parallel()
	s := supervise(t, plan{Servers: []server{sleeper("postgres", "1000"), sleeper("sandbox", "1000"), sleeper("temporal", "1000")}})
	before := s.await(t, "start", func(st state) bool {
		return st.running("postgres") && st.running("sandbox") && st.running("temporal")
	})
	next := plan{Servers: []server{sleeper("postgres", "1000"), sleeper("sandbox", "2000"), sleeper("worker", "1000")}}
	if err := next.write(s.dir); err != nil {
		t.Fatal(err)
	}
	s.reload <- syscall.SIGHUP
	after := s.await(t, "the next plan", func(st state) bool {
		return st.Plan == next.digest() && st.running("sandbox") && st.running("worker")
	})
	if pidOf(t, after, "postgres") != pidOf(t, before, "postgres") {
		t.Error("a server that had not changed was restarted")
	}
	if pidOf(t, before, "sandbox").alive() || pidOf(t, before, "temporal").alive() {
		t.Error("a changed or dropped server's process still runs")
	}
}

func TestSupervisorKillsAServerThatDoesNotStop(t *testing.T) {
	t.Parallel()
	deaf := server{
		Name: "worker", Args: []string{"/bin/sh", "-c", "trap '' TERM; while :; do /bin/sleep 0.05; done"}, Dir: "/",
		StopSignal: syscall.SIGTERM, StopTimeout: 200 * time.Millisecond,
	}
	s := supervise(t, plan{Servers: []server{deaf}})
	running := s.await(t, "start", func(st state) bool { return st.running("worker") })
	s.stop()
	if pidOf(t, running, "worker").alive() {
		t.Error("it still runs")
	}
}

func TestOrphansOfAKilledSupervisorAreEnded(t *testing.T) {
	t.Parallel()
	s := supervise(t, plan{Servers: []server{sleeper("worker", "1000")}})
	left := s.await(t, "start", func(st state) bool { return st.running("worker") })
	// What `down` does when it finds that state without its supervisor. The
	// living one starts the server again, as a different process.
	if err := endOrphans(t.Context(), left); err != nil {
		t.Fatal(err)
	}
	if pidOf(t, left, "worker").alive() {
		t.Error("it still runs")
	}
}

func TestAProcessIdInUseAgainIsNotTheSameProcess(t *testing.T) {
	t.Parallel()
	myself := newProcess(os.Getpid())
	if !myself.alive() {
		t.Fatal("this process does not find itself")
	}
	before := process{PID: os.Getpid(), Identity: "an earlier boot/12"}
	if before.alive() {
		t.Error("a process that only has the same number passes for it")
	}
	if err := before.signal(syscall.SIGKILL); err != nil {
		t.Error(err) // had it been sent, this line would not run
	}
}
