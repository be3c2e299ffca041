package activities

import (
	"fmt"
	"testing"

	"farewell/migration"
)

func TestLanesBeginStaggeredAndEndTogether(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		thirds int
		want   []int // thirds in each partition
	}{
		{"small", 1, []int{1}},
		{"uneven", 5, []int{2, 2, 1}},
		{"one for each lane", 9, []int{3, 3, 3}},
		{"large", 14, []int{1, 2, 3, 3, 2, 1, 1, 1}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var thirds []migration.Partition
			for n := range row.thirds {
				p := migration.Partition{ID: migration.PartitionID(migration.Tickets, n+1), Entity: migration.Tickets, Rows: 1000}
				if n > 0 {
					p.After = fmt.Sprint(n * 1000)
				}
				if n < row.thirds-1 {
					p.UpTo = fmt.Sprint((n + 1) * 1000)
				}
				thirds = append(thirds, p)
			}
			got := staggered(thirds)
			if len(got) != len(row.want) {
				t.Fatalf("%d partitions, want %d: %+v", len(got), len(row.want), got)
			}
			after := ""
			for n, p := range got {
				if p.ID != migration.PartitionID(migration.Tickets, n+1) || p.After != after || p.Rows != int64(row.want[n])*1000 {
					t.Errorf("partition %d is %+v, want %d thirds after %q", n+1, p, row.want[n], after)
				}
				after = p.UpTo
			}
			if after != "" {
				t.Errorf("the last partition ends at %q, want it open", after)
			}
		})
	}
}
