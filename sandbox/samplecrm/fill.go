// Package samplecrm makes a help desk to migrate away from: the tables of an
// ordinary CRM with rows that follow from a seed alone, and the views that map
// them for Farewell.
package samplecrm

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

//go:embed tables.sql
var tablesSQL string

//go:embed indexes.sql
var indexesSQL string

//go:embed views.sql
var viewsSQL string

// Filled counts what the sample holds.
type Filled struct {
	AlreadyThere bool // an earlier call had filled it in; nothing was done
	Customers    int64
	Companies    int64
	People       int64
	Tickets      int64
	Comments     int64
	Attachments  int64
}

// Progress is told how many of the tickets are written.
type Progress func(done, total int)

// ErrOtherSample says that the database holds a sample of another seed or
// shape.
var ErrOtherSample = errors.New("the database holds another sample: use the same seed and shape, or remove it by `drop schema crm, farewell cascade`")

// Fill creates the tables, the rows and the views in one transaction; an
// interrupted call leaves nothing. A second call with the same spec does
// nothing. The URL needs the right to create schemas. Progress may be nil.
func Fill(ctx context.Context, url string, s Spec, progress Progress) (Filled, error) {
	if err := s.check(); err != nil {
		return Filled{}, err
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return Filled{}, fmt.Errorf("fill the sample: connect: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // what counts has been committed
	var filled Filled
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		filled, err = fill(ctx, tx, s, progress)
		return err
	})
	if err != nil {
		return Filled{}, fmt.Errorf("fill the sample: %w", err)
	}
	return filled, nil
}

func fill(ctx context.Context, tx pgx.Tx, s Spec, progress Progress) (Filled, error) {
	// Two calls at a time: the second waits and finds the first one's rows.
	if _, err := tx.Exec(ctx, "select pg_advisory_xact_lock(hashtext('farewell sample'))"); err != nil {
		return Filled{}, err
	}
	there, err := isThere(ctx, tx, s)
	if err != nil {
		return Filled{}, err
	}
	if !there {
		if err := create(ctx, tx, s, progress); err != nil {
			return Filled{}, err
		}
	}
	filled, err := count(ctx, tx)
	filled.AlreadyThere = there
	return filled, err
}

// isThere looks for the stamp that an earlier call left.
func isThere(ctx context.Context, tx pgx.Tx, s Spec) (bool, error) {
	var crm, stamp bool
	err := tx.QueryRow(ctx, "select to_regnamespace('crm') is not null, to_regclass('crm.sample') is not null").Scan(&crm, &stamp)
	if err != nil || !crm {
		return false, err
	}
	if !stamp {
		return false, ErrOtherSample
	}
	var seed, shape string
	if err := tx.QueryRow(ctx, "select seed, shape from crm.sample").Scan(&seed, &shape); err != nil {
		return false, err
	}
	if seed != fmt.Sprint(s.Seed) || shape != s.shape() {
		return false, ErrOtherSample
	}
	return true, nil
}

func create(ctx context.Context, tx pgx.Tx, s Spec, progress Progress) error {
	if _, err := tx.Exec(ctx, tablesSQL); err != nil {
		return fmt.Errorf("create the tables: %w", err)
	}
	if err := load(ctx, tx, s, progress); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, indexesSQL); err != nil {
		return fmt.Errorf("create the indexes: %w", err)
	}
	if _, err := tx.Exec(ctx, viewsSQL); err != nil {
		return fmt.Errorf("create the views: %w", err)
	}
	_, err := tx.Exec(ctx, "create table crm.sample (seed text not null, shape text not null)")
	if err == nil {
		_, err = tx.Exec(ctx, "insert into crm.sample values ($1, $2)", fmt.Sprint(s.Seed), s.shape())
	}
	return err
}

func count(ctx context.Context, tx pgx.Tx) (Filled, error) {
	var f Filled
	err := tx.QueryRow(ctx, `select (select count(*) from crm.clients), (select count(*) from crm.companies),
		(select count(*) from crm.people), (select count(*) from crm.conversations),
		(select count(*) from crm.messages), (select count(*) from crm.files)`).
		Scan(&f.Customers, &f.Companies, &f.People, &f.Tickets, &f.Comments, &f.Attachments)
	return f, err
}

// flushBytes is how much is gathered before it goes to the server.
const flushBytes = 4 << 20

func load(ctx context.Context, tx pgx.Tx, s Spec, progress Progress) error {
	t, b := newTexts(s.Seed), newBatch()
	done, total := 0, 0
	for _, c := range s.Customers {
		total += c.Tickets
	}
	for i := range s.Customers {
		tenant := newTenant(s, i, t)
		tenant.client(b)
		tenant.companyRows(b)
		tenant.personRows(b)
		for k := range tenant.Tickets {
			tenant.conversation(b, k)
			done++
			if len(b.messages.bytes)+len(b.files.bytes) < flushBytes {
				continue
			}
			if err := b.flush(ctx, tx); err != nil {
				return err
			}
			if progress != nil {
				progress(done, total)
			}
		}
	}
	return b.flush(ctx, tx)
}

// batch gathers rows of all tables.
type batch struct {
	clients, companies, people, conversations, tags, messages, files *rows

	objects map[string][]byte // by path
}

func newBatch() *batch {
	table := func(name string) *rows { return &rows{table: name} }
	return &batch{
		clients:       table("clients"),
		companies:     table("companies"),
		people:        table("people"),
		conversations: table("conversations"),
		tags:          table("conversation_tags"),
		messages:      table("messages"),
		files:         table("files"),
		objects:       map[string][]byte{},
	}
}

func (b *batch) flush(ctx context.Context, tx pgx.Tx) error {
	if err := b.writeObjects(); err != nil {
		return fmt.Errorf("write the files: %w", err)
	}
	for _, r := range []*rows{b.clients, b.companies, b.people, b.conversations, b.tags, b.messages, b.files} {
		if len(r.bytes) == 0 {
			continue
		}
		sql := "copy " + pgx.Identifier{"crm", r.table}.Sanitize() + " from stdin (freeze)"
		if _, err := tx.Conn().PgConn().CopyFrom(ctx, bytes.NewReader(r.bytes), sql); err != nil {
			return fmt.Errorf("load %s: %w", r.table, err)
		}
		r.bytes = r.bytes[:0]
	}
	return nil
}
