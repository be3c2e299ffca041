package source

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// canaryWithin is when a look that has no answer counts as one that took so
// long.
const canaryWithin = 3 * time.Second

// canary looks at the source over a connection of its own, which waits for no
// other query of ours.
type canary struct {
	source *Source
	conn   *pgx.Conn
}

// look times a small query as the product might make it.
func (c *canary) look(ctx context.Context) (took time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, canaryWithin)
	defer cancel()
	if err := c.connect(ctx); err != nil {
		return canaryWithin, lookFailed(ctx, err)
	}
	began := time.Now()
	var any int
	err = c.conn.QueryRow(ctx, "select count(*) from (select from "+c.source.table("customers")+" limit 1) one").Scan(&any)
	took = time.Since(began)
	if err != nil {
		c.close()
		return max(took, canaryWithin), lookFailed(ctx, err)
	}
	return took, nil
}

// count tells how many sessions of others work now. A role that may not see
// them counts none.
func (c *canary) count(ctx context.Context) (active int, err error) {
	ctx, cancel := context.WithTimeout(ctx, canaryWithin)
	defer cancel()
	if err := c.connect(ctx); err != nil {
		return 0, lookFailed(ctx, err)
	}
	err = c.conn.QueryRow(ctx, `
		select count(*) from pg_stat_activity
		where state = 'active' and backend_type = 'client backend' and application_name not like 'farewell%' and pid <> pg_backend_pid()`).Scan(&active)
	if err != nil {
		c.close()
		return 0, lookFailed(ctx, err)
	}
	return active, nil
}

func (c *canary) connect(ctx context.Context) error {
	if c.conn != nil && !c.conn.IsClosed() {
		return nil
	}
	conn, err := pgx.ConnectConfig(ctx, c.source.pool.Config().ConnConfig)
	if err == nil {
		c.conn = conn
	}
	return err
}

func lookFailed(ctx context.Context, err error) error {
	return newError(context.WithoutCancel(ctx), operation{name: "look at the source"}, err)
}

func (c *canary) close() {
	if c.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = c.conn.Close(ctx) // nothing was left to be written on it
	c.conn = nil
}
