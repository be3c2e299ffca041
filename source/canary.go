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

// look times a small query as the product might make it, and counts the
// sessions of others that work now. A role that may not see them counts none.
func (c *canary) look(ctx context.Context) (sight, error) {
	ctx, cancel := context.WithTimeout(ctx, canaryWithin)
	defer cancel()
	if c.conn == nil || c.conn.IsClosed() {
		conn, err := pgx.ConnectConfig(ctx, c.source.pool.Config().ConnConfig)
		if err != nil {
			return sight{took: canaryWithin}, lookFailed(ctx, err)
		}
		c.conn = conn
	}
	s := sight{}
	began := time.Now()
	var any int
	err := c.conn.QueryRow(ctx, "select count(*) from (select from "+c.source.table("customers")+" limit 1) one").Scan(&any)
	s.took = time.Since(began)
	if err == nil {
		err = c.conn.QueryRow(ctx, `
			select count(*) from pg_stat_activity
			where state = 'active' and backend_type = 'client backend' and application_name not like 'farewell%' and pid <> pg_backend_pid()`).Scan(&s.active)
	}
	if err != nil {
		c.close()
		s.took = max(s.took, canaryWithin)
		err = lookFailed(ctx, err)
	}
	return s, err
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
