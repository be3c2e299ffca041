package csvbundle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"farewell/destination"
	"farewell/migration"
)

const (
	// ticketsAtATime is for how many tickets the source is asked where their
	// files are.
	ticketsAtATime = 500
	// fetchBuffer is no more than what a file passes on at a time.
	fetchBuffer = 32 << 10
)

// attached is an attachment of a part, with ids in the form that its rows have.
type attached struct{ id, ticket string }

// located is what the source says of an attachment now.
type located struct {
	migration.Attachment
	gone bool // it knows it no more
}

// fetching brings the files of a part's attachments.
type fetching struct {
	*partWriter
	op     string
	from   *destination.PartFiles
	kept   map[string][]kept // by keptID
	begun  atomic.Int64      // files, so that each has a name of its own on its way
	spaces sync.Pool         // of *[fetchBuffer]byte

	mu      sync.Mutex
	brought []fileRow // one for each attachment, in their order
}

// bringFiles fetches what the attachments of the part speak of, and writes the
// table that says what became of each. A part without attachments has none.
func (w *partWriter) bringFiles(op string, from *destination.PartFiles) ([]migration.FileFate, error) {
	wanted := w.noting.files
	if from == nil || len(wanted) == 0 {
		return nil, nil
	}
	f := &fetching{partWriter: w, op: op, from: from, brought: make([]fileRow, len(wanted))}
	f.spaces.New = func() any { return new([fetchBuffer]byte) }
	var err error
	if f.kept, err = w.bundle.keptFiles(w.ctx, partKey(w.part.ref())); err != nil {
		return nil, w.bundle.failure(op, err)
	}
	if err := f.fetchAll(wanted); err != nil {
		return nil, err
	}
	fates := make([]migration.FileFate, len(wanted))
	for i, row := range f.brought {
		fates[i] = row.fate
	}
	return fates, w.writeFileRows(f.brought)
}

// fetchAll brings every file to its end. The first error ends it.
func (f *fetching) fetchAll(wanted []attached) error {
	ctx, cancel := context.WithCancelCause(f.ctx)
	defer cancel(nil)
	var on sync.WaitGroup
	places := make(chan struct{}, f.bundle.vault.fetches())
	for done := 0; done < len(wanted) && ctx.Err() == nil; {
		first, end := done, endOfTickets(wanted, done, ticketsAtATime)
		found, err := f.look(ctx, wanted[first:end])
		if err != nil {
			cancel(err)
		}
		for i, a := range found {
			if ctx.Err() != nil {
				break
			}
			places <- struct{}{}
			on.Go(func() {
				defer func() { <-places }()
				if err := f.bring(ctx, first+i, a); err != nil {
					cancel(err)
				}
			})
		}
		done = end
	}
	on.Wait()
	return context.Cause(ctx)
}

// endOfTickets is the index behind the attachments of the next n tickets. Those
// of a ticket follow each other.
func endOfTickets(all []attached, from, n int) int {
	for end := from + 1; end < len(all); end++ {
		if all[end].ticket == all[end-1].ticket {
			continue
		}
		if n--; n == 0 {
			return end
		}
	}
	return len(all)
}

// look asks where the files of some attachments are, in their order.
func (f *fetching) look(ctx context.Context, wanted []attached) ([]located, error) {
	var tickets []string
	for i, a := range wanted {
		if i == 0 || a.ticket != wanted[i-1].ticket {
			tickets = append(tickets, f.bundle.form.sourceID(a.ticket))
		}
	}
	listed, err := f.from.List(ctx, tickets)
	if err != nil {
		return nil, fmt.Errorf("%s: ask where attachments are: %w", f.op, err)
	}
	found := make([]located, len(wanted))
	for i, a := range wanted {
		id, ticket := f.bundle.form.sourceID(a.id), f.bundle.form.sourceID(a.ticket)
		of := listed[ticket]
		n := slices.IndexFunc(of, func(l migration.Attachment) bool { return l.ID == id })
		if n < 0 {
			found[i] = located{migration.Attachment{ID: id, TicketID: ticket}, true}
			continue
		}
		found[i] = located{of[n], false}
	}
	return found, nil
}

// bring decides what becomes of one file. An error says nothing about it.
func (f *fetching) bring(ctx context.Context, i int, a located) error {
	row := fileRow{fate: migration.FileFate{ID: a.ID, TicketID: a.TicketID}}
	got, err := f.take(ctx, a)
	var failed *destination.FileError
	switch {
	case err == nil:
		row.path, row.digest = attachmentPath(a.Attachment), got.digest
	case errors.As(err, &failed) && !failed.Passing:
		row.fate.Code, row.fate.Text = failed.Code, failed.Text
	case failed != nil:
		return &destination.Error{
			Op: "fetch attachments", Kind: destination.Temporary, Code: destination.FilesUnreachable,
			Fix: "see that the place where the source keeps its files can be reached", Err: failed,
		}
	default:
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.brought[i] = row
	return f.from.Decided(row.fate)
}

// take fetches a file, unless an earlier try did.
func (f *fetching) take(ctx context.Context, a located) (got kept, err error) {
	if a.gone {
		return got, &destination.FileError{Code: migration.FileNotFound, Text: "the source does not have it any more"}
	}
	id := keptID(a.ID)
	for _, k := range f.kept[id] {
		if k.is(a.Attachment) {
			return k, nil
		}
	}
	err = destination.TakeFile(ctx, f.from.Open, a.Attachment, func(file destination.File) error {
		got, err = f.keep(ctx, id, file)
		return err
	})
	return got, err
}

// keep brings a file to where kept files lie, if it is right to its end.
func (f *fetching) keep(ctx context.Context, id string, from io.Reader) (kept, error) {
	vault, try := f.bundle.vault, f.part.Try
	name := "file-" + strconv.FormatInt(f.begun.Add(1), 10)
	to, err := vault.createFile(ctx, try, name)
	if err != nil {
		return kept{}, f.bundle.failure(f.op, err)
	}
	hashed := newHashing(to)
	if err := f.pass(hashed, from); err != nil {
		to.abandon()
		return kept{}, errors.Join(err, f.bundle.failure(f.op, vault.dropFile(context.WithoutCancel(ctx), try, name)))
	}
	k := kept{id, hashed.digest()}
	if err = to.finish(); err == nil {
		err = vault.keepFile(ctx, partKey(f.part.ref()), try, name, k.name())
	}
	return k, f.bundle.failure(f.op, err)
}

// pass copies a file. Its error is the file's own, or the store's.
func (f *fetching) pass(to io.Writer, from io.Reader) error {
	space := f.spaces.Get().(*[fetchBuffer]byte)
	defer f.spaces.Put(space)
	for {
		n, err := from.Read(space[:])
		if n > 0 {
			if _, err := to.Write(space[:n]); err != nil {
				return f.bundle.failure(f.op, err)
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
