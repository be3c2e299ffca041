package ledger_test

import (
	"sync/atomic"
	"syscall"
	"testing"
	"time"

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

// cpu is the time that this process has used so far.
func cpu(b *testing.B) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
