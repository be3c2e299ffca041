package ledger

import (
	"context"
	"time"

	"farewell/migration"
)

// errandCounts is how long an errand counts after its worker was last heard.
const errandCounts = 20 * time.Second

// Errand asks whether this worker may bring people of an entity on demand now:
// of all workers one at a time may, for each migration. Who begins one while
// another worker has one fences it, and must look up what is on its way. The
// worker's name must be its own. The word stands for 20 seconds; it is repeated
// meanwhile with running, until EndErrand.
func (l *Ledger) Errand(ctx context.Context, m migration.Migration, e migration.Entity, worker string, running bool) (granted bool, err error) {
	used, waiting := 0, 1
	if running {
		used, waiting = 1, 0
	}
	allowed, err := l.share(ctx, "errands", errandName(m, e), worker, used, waiting, 1, errandCounts)
	return allowed > 0, err
}

// EndErrand lets the next worker begin. It may be repeated.
func (l *Ledger) EndErrand(ctx context.Context, m migration.Migration, e migration.Entity, worker string) error {
	_, err := l.share(ctx, "errands", errandName(m, e), worker, 0, 0, 1, errandCounts)
	return err
}

func errandName(m migration.Migration, e migration.Entity) string {
	return m.String() + separator + string(e)
}
