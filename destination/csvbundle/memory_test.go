package csvbundle

import (
	"context"
	"io"
	"runtime"
	"strings"
	"testing"
)

// Not parallel: it measures what the whole process allocates.
func TestMemoryDoesNotGrowWithTheStream(t *testing.T) {
	const rows, most = 32 << 10, 8 << 20 // 32 MiB of CSV
	row := []byte("1,1," + strings.Repeat("x", 1019) + "\n")
	b := openAt(t, t.TempDir())
	p := makePart(1, 0, "", "")

	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := writeViews(context.Background(), b, p.in, []string{"comments"}, func(_ context.Context, _ string, w io.Writer) (int64, error) {
		for range rows {
			if _, err := w.Write(row); err != nil {
				return 0, err
			}
		}
		return rows, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	publish(t, b, p)
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > most {
		t.Fatalf("%d bytes were allocated for %d rows, want at most %d", used, rows, most)
	}
}
