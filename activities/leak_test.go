package activities_test

import (
	"net/http"
	"testing"

	"go.uber.org/goleak"
)

// A goroutine that nobody waits for is how this product's founding incident
// began: when an export has returned and its account is closed, none is left,
// whether it succeeded, was in doubt or died. No other test runs beside this.
func TestNoGoroutineOutlivesAnExport(t *testing.T) {
	for _, row := range []struct {
		name  string
		fault string
		dies  bool
	}{{"done", "", false}, {"in doubt", "cut_after", false}, {"stuck", "job_stuck", false}, {"failed", "", true}} {
		t.Run(row.name, func(t *testing.T) {
			s := newLonelyStage(t, 250, nil)
			if row.fault != "" {
				s.configure(map[string]any{"faults": []any{fault(row.fault, nil)}})
			}
			before := goleak.IgnoreCurrent()
			w := s.hire()
			if row.dies {
				w.dyingAt(beforeSettle, 1)
			}
			_, _ = w.export() // however it ends
			must(t, w.account.Close())
			s.sandbox.CloseClientConnections()
			http.DefaultClient.CloseIdleConnections()
			goleak.VerifyNone(t, before,
				goleak.IgnoreTopFunction("net/http.(*conn).serve"), // of the sandbox's server
				goleak.IgnoreAnyFunction("net/http/httptest.(*Server).goServe.func1"),
				goleak.IgnoreAnyFunction("github.com/jackc/pgx/v5/pgxpool.(*Pool).backgroundHealthCheck"))
		})
	}
}
