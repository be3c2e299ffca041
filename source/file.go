package source

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"farewell/migration"
)

// StoredFile is what the database knows of the bytes in the column "content".
type StoredFile struct {
	Size   int64
	SHA256 string // hexadecimal
}

// StatFile measures a file in the column "content", in the database. A file
// that is not there any more is false.
func (s *Source) StatFile(ctx context.Context, customer string, a migration.Attachment) (f StoredFile, there bool, err error) {
	err = s.oneFile(ctx, "measure a file", customer, a, "octet_length(v.content)::bigint, encode(sha256(v.content), 'hex')", nil, func(r *row) {
		f.Size, f.SHA256 = r.integer(), r.text()
		there = f.SHA256 != ""
	})
	return f, there, err
}

// ReadFile reads up to n bytes of a file in the column "content", from an
// offset on, in a query of its own: a slow reader holds no connection. Bytes
// are fewer at the file's end, and none behind it.
func (s *Source) ReadFile(ctx context.Context, customer string, a migration.Attachment, offset int64, n int) (slice []byte, err error) {
	// substring takes an integer, which is enough for the gigabyte that a field holds.
	err = s.oneFile(ctx, "read a file", customer, a, "substring(v.content from $1 for $2)", []any{int32(offset + 1), int32(n)}, func(r *row) {
		slice = append(slice, r.cell()...) // the cell is the connection's own memory
	})
	return slice, err
}

// oneFile selects from the row of an attachment, if it is there.
func (s *Source) oneFile(ctx context.Context, op, customer string, a migration.Attachment, what string, args []any, take func(*row)) error {
	return s.call(ctx, operation{name: op, view: "attachments", customer: customer}, func(ctx context.Context, conn *pgx.Conn) error {
		sh, v, err := s.attachmentsView(ctx, conn)
		if err != nil {
			return err
		}
		if !sh.has(v, "content") {
			return &refusal{"view attachments has no column content any more", "put it back, then retry"}
		}
		p := parameters{values: args}
		where, err := sh.where(v, selection{customer: customer, ids: []string{a.TicketID}}, &p)
		if err != nil {
			return err
		}
		id := sh[v.name]["id"]
		value, err := id.value(v.name, a.ID)
		if err != nil {
			return err
		}
		where += " and v.id = " + p.bind(value, id.idCast())
		rows, err := conn.Query(ctx, "select "+what+" from "+s.table(v.name)+" v where "+where, p.values...)
		return eachRow(rows, err, take)
	})
}

// attachmentsView is that view's contract, and what the database shows of it.
func (s *Source) attachmentsView(ctx context.Context, conn *pgx.Conn) (sh shape, v view, err error) {
	if sh, err = s.shape(ctx, conn); err != nil {
		return nil, view{}, err
	}
	v, err = viewNamed("attachments")
	return sh, v, err
}

// Attachments lists the attachments of tickets, by ticket id.
func (s *Source) Attachments(ctx context.Context, customer string, ticketIDs []string) (map[string][]migration.Attachment, error) {
	found := map[string][]migration.Attachment{}
	err := s.call(ctx, operation{name: "list attachments", view: "attachments", customer: customer}, func(ctx context.Context, conn *pgx.Conn) error {
		sh, v, err := s.attachmentsView(ctx, conn)
		if err != nil {
			return err
		}
		sql, args, err := reader{s, sh, conn}.contentQuery(v, customer, ticketIDs)
		if err != nil {
			return err
		}
		rows, err := conn.Query(ctx, sql, args...)
		return eachRow(rows, err, func(r *row) {
			a, _ := attachment(r)
			found[a.TicketID] = append(found[a.TicketID], a)
		})
	})
	return found, err
}

// ShowsFiles tells whether the view of attachments has a column that says where
// their bytes are.
func (s *Source) ShowsFiles(ctx context.Context) (shows bool, err error) {
	err = s.call(ctx, operation{name: "look at the views' columns"}, func(ctx context.Context, conn *pgx.Conn) error {
		sh, v, err := s.attachmentsView(ctx, conn)
		shows = sh.has(v, "content") || sh.has(v, "blob_key") || sh.has(v, "url")
		return err
	})
	return shows, err
}

// mostPlaces is how many places of files are told apart: further ones are
// spread too thinly for a list.
const mostPlaces = 100

// originPattern is scheme, host and port of an address, with whatever stands
// before an @, which may be a password and is never shown.
const originPattern = `^[A-Za-z][A-Za-z0-9+.-]*://[^/?#\\[:space:]]*`

// FilePlaces sums up a customer's attachments by where their bytes are. It
// reads all of the customer's attachments.
func (s *Source) FilePlaces(ctx context.Context, customer string) ([]migration.FilePlace, error) {
	var places []migration.FilePlace
	err := s.call(ctx, operation{name: "count files", view: "attachments", customer: customer}, func(ctx context.Context, conn *pgx.Conn) error {
		sh, v, err := s.attachmentsView(ctx, conn)
		if err != nil {
			return err
		}
		sql, args, err := s.placesQuery(sh, v, customer)
		if err != nil {
			return err
		}
		rows, err := conn.Query(ctx, sql, args...)
		return eachRow(rows, err, func(r *row) {
			p := migration.FilePlace{Kind: migration.FileKind(r.text()), Origin: r.text()}
			p.Files, p.Bytes, p.Largest = r.integer(), r.integer(), r.integer()
			places = append(places, p)
		})
	})
	return places, err
}

func (s *Source) placesQuery(sh shape, v view, customer string) (string, []any, error) {
	var p parameters
	where, err := sh.where(v, selection{customer: customer}, &p)
	if err != nil {
		return "", nil, err
	}
	is := func(name, expression, otherwise string) string {
		if !sh.has(v, name) {
			return otherwise
		}
		return expression
	}
	stored, size := is("content", "v.content is not null", "false"), is("size", "v.size::bigint", "null::bigint")
	blob, url := is("blob_key", "v.blob_key::text", "null::text"), is("url", "v.url::text", "null::text")
	return fmt.Sprintf(`
		select f.kind, case when f.kind = '%s' then coalesce(lower(regexp_replace(substring(f.url from '%s'), '//.*@', '//***@')), '') else '' end,
			count(*), coalesce(sum(f.size), 0)::bigint, coalesce(max(f.size), 0)::bigint
		from (select case when %s then '%s' when coalesce(%s, '') <> '' then '%s' when coalesce(%s, '') <> '' then '%s' else '%s' end as kind,
			%s as url, %s as size from %s v where %s) f
		group by 1, 2 order by 3 desc, 1, 2 limit %d`,
		migration.FileAtURL, originPattern, stored, migration.FileStored, blob, migration.FileInBucket, url, migration.FileAtURL, migration.FileNowhere,
		url, size, s.table(v.name), where, mostPlaces), p.values, nil
}

// sliceRows is how many rows a slice of a file counts as: reading it costs the
// source about as much as reading so many comments.
func sliceRows(slice []byte) int { return 1 + len(slice)>>16 }

// ReadFile is Source's.
func (g Governed) ReadFile(ctx context.Context, customer string, a migration.Attachment, offset int64, n int) ([]byte, error) {
	end, err := g.begin(ctx, customer)
	if err != nil {
		return nil, err
	}
	slice, err := g.Source.ReadFile(ctx, customer, a, offset, n)
	end(sliceRows(slice))
	return slice, err
}

// StatFile is Source's.
func (g Governed) StatFile(ctx context.Context, customer string, a migration.Attachment) (StoredFile, bool, error) {
	end, err := g.begin(ctx, customer)
	if err != nil {
		return StoredFile{}, false, err
	}
	f, there, err := g.Source.StatFile(ctx, customer, a)
	end(1 + int(f.Size>>16))
	return f, there, err
}

// Attachments is Source's.
func (g Governed) Attachments(ctx context.Context, customer string, ticketIDs []string) (found map[string][]migration.Attachment, err error) {
	err = outlast(ctx, func() error {
		return g.ask(ctx, customer, func() (rows int, err error) {
			found, err = g.Source.Attachments(ctx, customer, ticketIDs)
			for _, of := range found {
				rows += len(of)
			}
			return rows, err
		})
	})
	return found, err
}

// FilePlaces is Source's.
func (g Governed) FilePlaces(ctx context.Context, customer string) ([]migration.FilePlace, error) {
	end, err := g.begin(ctx, customer)
	if err != nil {
		return nil, err
	}
	defer end(0)
	return g.Source.FilePlaces(ctx, customer)
}
