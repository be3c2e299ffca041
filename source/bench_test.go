package source

import (
	"testing"

	"farewell/sandbox/samplecrm"
)

// BenchmarkPage reads 20,000 tickets with 4 comments each in pages of 100.
// Aim: 20,000 tickets/s.
func BenchmarkPage(b *testing.B) {
	f := newSample(b, samplecrm.Customers(1, 20_000, 4))
	read := 0
	for b.Loop() {
		read += len(f.walk("customer-0001", tickets("", ""), 100))
	}
	b.ReportMetric(float64(read)/b.Elapsed().Seconds(), "tickets/s")
}
