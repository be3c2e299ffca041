package ledger_test

import (
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"farewell/ledger"
	"farewell/migration"
)

// BenchmarkBatchLifecycle takes batches of 100 tickets from intent over the
// accepted job to the settlement, in eight lanes over four partitions: three
// commits for each batch.
func BenchmarkBatchLifecycle(b *testing.B) {
	l, _ := open(b)
	var holds []migration.Hold
	for n := range 4 {
		holds = append(holds, takeOver(b, l, tickets(n+1), "run-1"))
	}
	var next atomic.Int64
	before := cpu(b)
	begun := time.Now()
	b.SetParallelism(4) // times GOMAXPROCS
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			n := int(next.Add(1))
			lifecycle(b, l, holds[n%len(holds)], 700_000_000+n*100, 100)
		}
	})
	b.ReportMetric(3*float64(b.N)/time.Since(begun).Seconds(), "commits/s")
	b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N), "cpu-µs/batch")
}

// BenchmarkLanes is what a worker asks of the ledger: three lanes, each with a
// partition and up to 13 batches on their way, begin a batch every 6 ms, and
// jobs that have ended are told of together, every 20 ms. What counts is the
// CPU time of both sides; the pace is given.
func BenchmarkLanes(b *testing.B) {
	const lanes, flight = 3, 13
	_, url := open(b)
	l, err := ledger.Open(b.Context(), url, ledger.Options{MaxConns: 6})
	must(b, err)
	defer l.Close()
	var holds []migration.Hold
	for n := range lanes {
		holds = append(holds, takeOver(b, l, tickets(n+1), "run-1"))
	}
	polls := newPolls(20 * time.Millisecond)
	defer polls.stop()
	before := cpu(b)
	b.ResetTimer()
	var all sync.WaitGroup
	for n, h := range holds {
		all.Go(func() {
			pace := time.NewTicker(6 * time.Millisecond)
			defer pace.Stop()
			seats := make(chan struct{}, flight)
			for i := n; i < b.N; i += lanes {
				seats <- struct{}{}
				<-pace.C
				t := newTravel(h, 700_000_000+i*100, 100)
				t.intend(b, l)
				all.Go(func() {
					t.accept(b, l)
					polls.wait()
					t.settle(b, l)
					<-seats
				})
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N), "cpu-µs/batch")
}

// BenchmarkExactCounts adds up 100,000 tickets and 20,000 users.
func BenchmarkExactCounts(b *testing.B) {
	l, _ := open(b)
	for n := range 25 {
		p, batches := tickets(n), 50
		if n >= 20 {
			p, batches = users(n), 40
		}
		h := takeOver(b, l, p, "run-1")
		for i := range batches {
			lifecycle(b, l, h, 700_000_000+n*10_000+i*100, 100)
		}
	}
	before := cpu(b)
	for b.Loop() {
		counts, err := l.ExactCounts(b.Context(), acme, "run-1")
		must(b, err)
		if counts[migration.Tickets].Created != 100_000 {
			b.Fatalf("%+v", counts)
		}
	}
	b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
}

// polls lets those who wait go on together, at every tick.
type polls struct {
	mu   sync.Mutex
	next chan struct{}
	end  chan struct{}
}

func newPolls(every time.Duration) *polls {
	p := &polls{next: make(chan struct{}), end: make(chan struct{})}
	go func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
			case <-p.end:
				return
			}
			p.mu.Lock()
			close(p.next)
			p.next = make(chan struct{})
			p.mu.Unlock()
		}
	}()
	return p
}

func (p *polls) wait() {
	p.mu.Lock()
	next := p.next
	p.mu.Unlock()
	<-next
}

func (p *polls) stop() { close(p.end) }

// cpu is the time that this process has used so far.
func cpu(b *testing.B) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
