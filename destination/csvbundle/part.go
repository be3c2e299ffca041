package csvbundle

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/url"
	"slices"

	"github.com/klauspost/compress/gzip"

	"farewell/destination"
	"farewell/migration"
)

// storedPart describes a complete part, whose rows lie in one file of its try.
// The description is written last, and under a name that does not change: a
// part exists if and only if its description does.
type storedPart struct {
	Migration migration.Migration `json:"migration"`
	Partition string              `json:"partition"`
	Pass      int                 `json:"pass"`
	After     string              `json:"after,omitempty"` // the partition's range
	UpTo      string              `json:"up_to,omitempty"`
	Form      form                `json:"form"`
	Try       string              `json:"try"`
	Sections  []section           `json:"sections"`
	People    section             `json:"people"`            // named, as JSON
	Orphans   []orphan            `json:"orphans,omitempty"` // comments that the source hides
	digest
}

// section is a run of bytes in a part's file: rows of one view without a header.
type section struct {
	View    string             `json:"view"`
	Columns []migration.Column `json:"columns,omitempty"`
	Offset  int64              `json:"offset"`
	Rows    int64              `json:"rows"`
	Text    int64              `json:"text"` // bytes before compression
	Guarded map[string]int64   `json:"guarded,omitempty"`
	digest
}

// orphan is a comment that an attachment belongs to and that its ticket lacks.
type orphan struct {
	Comment string `json:"comment"`
	Ticket  string `json:"ticket"`
}

func (p storedPart) ref() destination.PartRef {
	return destination.PartRef{Partition: p.Partition, Pass: p.Pass}
}

// of lists the part's sections of a view.
func (p storedPart) of(view string) []section {
	var of []section
	for _, s := range p.Sections {
		if s.View == view {
			of = append(of, s)
		}
	}
	return of
}

// partKey names a part in a vault.
func partKey(ref destination.PartRef) string {
	return fmt.Sprintf("%s.%d", url.PathEscape(ref.Partition), ref.Pass)
}

// WritePart implements destination.Streams, in constant memory. Of several
// tries of the same part at the same time, the one that began last wins, and
// the others fail: a worker that was cut off and comes back cannot replace its
// successor's work.
func (b *Bundle) WritePart(ctx context.Context, in destination.PartsInput, views []string, copy destination.CopyViews) (destination.Part, error) {
	ref := destination.PartRef{Partition: in.Partition.ID, Pass: in.Pass}
	op := fmt.Sprintf("write part %s pass %d", ref.Partition, ref.Pass)
	if err := b.mayWrite(ctx, op, in, views); err != nil {
		return destination.Part{}, err
	}
	complete, err := b.storedPart(ctx, ref)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return destination.Part{}, b.failure(op, err)
	}
	try, err := b.vault.beginTry(ctx, partKey(ref), complete.Try)
	if err != nil {
		return destination.Part{}, b.failure(op, err)
	}
	part := storedPart{
		Migration: in.Migration, Partition: ref.Partition, Pass: ref.Pass,
		After: in.Partition.After, UpTo: in.Partition.UpTo, Form: b.form.ofParts(), Try: try,
	}
	err = b.store(ctx, op, &part, in.Columns, views, copy)
	if err == nil {
		err = b.failure(op, b.commit(ctx, part))
	}
	if err != nil {
		// Whoever called may be gone: what is left is deleted all the same.
		return destination.Part{}, errors.Join(err, b.failure(op+": clean up", b.vault.endTry(context.WithoutCancel(ctx), try)))
	}
	return summary(part), nil
}

func (b *Bundle) commit(ctx context.Context, part storedPart) error {
	description, err := json.MarshalIndent(part, "", "  ")
	if err != nil {
		return err
	}
	replaced, err := b.storedPart(ctx, part.ref())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := b.vault.commitPart(ctx, partKey(part.ref()), part.Try, append(description, '\n')); err != nil {
		return err
	}
	if replaced.Try == "" || replaced.Try == part.Try {
		return nil
	}
	return b.vault.endTry(ctx, replaced.Try)
}

// store brings the rows of one try to where they stay. A failure of the store
// comes back as the destination's error, one of the source as it is.
func (b *Bundle) store(ctx context.Context, op string, part *storedPart, columns destination.Columns, views []string, copy destination.CopyViews) error {
	file, err := b.vault.createRows(ctx, part.Try)
	if err != nil {
		return b.failure(op, err)
	}
	w := &partWriter{bundle: b, part: part, segment: newSegment(file), columns: columns, noting: newNoting()}
	counts, err := copy(func(view string) (io.Writer, error) {
		if !slices.Contains(views, view) || len(part.of(view)) > 0 {
			return nil, fmt.Errorf("view %s is opened twice, or is none of the part's", view)
		}
		return w.begin(view)
	})
	if err == nil {
		err = w.complete(op, views, counts)
	}
	switch {
	case w.segment.err != nil:
		err = b.failure(op, w.segment.err)
	case errors.Is(err, errInsideRow):
		err = &destination.Error{Op: op, Kind: destination.Temporary, Code: "cut short", Err: err}
	case err != nil:
		err = fmt.Errorf("%s: %w", op, err)
	}
	if err != nil {
		w.segment.abandon()
		return err
	}
	part.digest, err = w.segment.close()
	return b.failure(op, err)
}

// partWriter writes one part's sections, one after the other.
type partWriter struct {
	bundle  *Bundle
	part    *storedPart
	segment *segment
	columns destination.Columns
	noting  *noting

	open     *rows
	hashed   *hashing
	compress *gzip.Writer
}

// begin ends the section before and opens one for a view.
func (w *partWriter) begin(view string) (io.Writer, error) {
	if err := w.end(); err != nil {
		return nil, err
	}
	columns := w.columns[view]
	if len(columns) == 0 {
		return nil, fmt.Errorf("the columns of view %s are not known", view)
	}
	to := w.beginSection(section{View: view, Columns: columns})
	w.open = newRows(to, columns, w.bundle.form, w.noting.of(view))
	return w.open, nil
}

func (w *partWriter) beginSection(s section) io.Writer {
	s.Offset = w.segment.hashed.bytes + int64(w.segment.buffer.Buffered())
	w.part.Sections = append(w.part.Sections, s)
	w.hashed = newHashing(w.segment)
	if !w.bundle.form.Gzip {
		return w.hashed
	}
	w.compress = newGzip(w.hashed)
	return w.compress
}

// end completes the section that is open, if any.
func (w *partWriter) end() error {
	if w.open == nil {
		return nil
	}
	s := &w.part.Sections[len(w.part.Sections)-1]
	s.Rows, s.Text, s.Guarded = w.open.count, w.open.bytes, w.open.guarded
	w.open = nil
	return w.endSection(s)
}

func (w *partWriter) endSection(s *section) error {
	if w.compress != nil {
		if err := w.compress.Close(); err != nil {
			return err
		}
		w.compress = nil
	}
	s.digest = w.hashed.digest()
	return nil
}

// complete ends the last view and adds what only a look at all of them shows.
func (w *partWriter) complete(op string, views []string, counts map[string]int64) error {
	if err := w.end(); err != nil {
		return err
	}
	for _, view := range views {
		of := w.part.of(view)
		if len(of) == 0 {
			return refused(op, "view not copied", fmt.Errorf("nothing was copied for view %s", view), "")
		}
		if of[0].Rows != counts[view] {
			return fmt.Errorf("view %s: %w: %d rows arrived, the source wrote %d", view, errInsideRow, of[0].Rows, counts[view])
		}
	}
	if err := w.addOrphans(); err != nil {
		return err
	}
	return w.addPeople()
}

// addOrphans adds a row, with ids and nothing else, for each comment that only
// attachments know, so that their foreign keys hold.
func (w *partWriter) addOrphans() error {
	for _, id := range slices.Sorted(maps.Keys(w.noting.orphans)) {
		w.part.Orphans = append(w.part.Orphans, orphan{Comment: id, Ticket: w.noting.orphans[id]})
	}
	if len(w.part.Orphans) == 0 {
		return nil
	}
	to := w.beginSection(section{View: "comments", Columns: w.columns["comments"]})
	s := &w.part.Sections[len(w.part.Sections)-1]
	for _, o := range w.part.Orphans {
		n, err := io.WriteString(to, idRow(w.columns["comments"], map[string]string{"id": o.Comment, "ticket_id": o.Ticket}))
		if err != nil {
			return err
		}
		s.Rows++
		s.Text += int64(n)
	}
	return w.endSection(s)
}

// idRow is a row with the given cells and NULL in all others.
func idRow(columns []migration.Column, ids map[string]string) string {
	cells := make([]*string, len(columns))
	for i, c := range columns {
		if id, ok := ids[c.Name]; ok {
			cells[i] = &id
		}
	}
	return rowOf(cells...)
}

func (w *partWriter) addPeople() error {
	text, err := json.Marshal(w.noting.result())
	if err != nil {
		return err
	}
	w.part.People = section{View: "people", Offset: w.segment.hashed.bytes + int64(w.segment.buffer.Buffered())}
	hashed := newHashing(w.segment)
	if _, err := hashed.Write(text); err != nil {
		return err
	}
	w.part.People.digest = hashed.digest()
	return nil
}

// mayWrite refuses what would damage the bundle that is published already.
func (b *Bundle) mayWrite(ctx context.Context, op string, in destination.PartsInput, views []string) error {
	for _, view := range views {
		if _, ok := tableNamed(view); !ok {
			return refused(op, "unknown view", fmt.Errorf("a bundle has no file for the view %q", view), "")
		}
	}
	published, err := b.record(ctx)
	if err != nil {
		return b.failure(op, err)
	}
	if published == nil {
		return nil
	}
	if err := b.belongs(op, published.Migration, in.Migration); err != nil {
		return err
	}
	p := published.part(destination.PartRef{Partition: in.Partition.ID, Pass: in.Pass})
	if p == nil || replaceable(p, in) {
		return nil
	}
	return refused(op, "already published",
		errors.New("a part of this name, with other records, is in the published bundle: replacing it would lose them"),
		"if the ledger was lost, run `starter reconcile`; to export afresh, move "+b.vault.where()+" and "+b.vault.staging()+" away")
}

// replaceable tells whether a new try of a published part brings the same
// records, or more: a range read again does, a catch-up of other ids does not.
func replaceable(p *recordedPart, in destination.PartsInput) bool {
	return in.Pass == 0 && len(in.IDs) == 0 && p.After == in.Partition.After && p.UpTo == in.Partition.UpTo
}

// belongs refuses the place of another customer.
func (b *Bundle) belongs(op string, found, wanted migration.Migration) error {
	if found == wanted {
		return nil
	}
	return misconfigured(op, fmt.Errorf("the bundle %s belongs to the migration %s", b.vault.where(), found),
		"give the account "+b.account+" another name or url in the accounts file")
}

// storedPart reads the description of a complete part. Without one, the error
// is fs.ErrNotExist.
func (b *Bundle) storedPart(ctx context.Context, ref destination.PartRef) (storedPart, error) {
	content, err := b.vault.description(ctx, partKey(ref))
	if err != nil {
		return storedPart{}, err
	}
	return parsePart(content)
}

func parsePart(content []byte) (storedPart, error) {
	var part storedPart
	if err := json.Unmarshal(content, &part); err != nil {
		return part, fmt.Errorf("read the description of a part: %w", err)
	}
	return part, nil
}

// readPeople reads who is in the part and whom it names.
func (b *Bundle) readPeople(ctx context.Context, p storedPart) (n named, err error) {
	r, err := b.vault.openRows(ctx, p.Try, p.People.Offset, p.People.Bytes)
	if errors.Is(err, fs.ErrNotExist) {
		return n, b.missingPart("read who is in part "+p.Partition, p.ref(), err)
	}
	if err != nil {
		return n, err
	}
	defer r.Close()
	text, err := io.ReadAll(r)
	if err != nil {
		return n, err
	}
	if digestOf(string(text)) != p.People.digest {
		return n, b.damagedPart("read who is in part "+p.Partition, p, "people")
	}
	return n, json.Unmarshal(text, &n)
}

func summary(part storedPart) destination.Part {
	sum := destination.Part{Rows: map[string]int64{}, Bytes: part.Bytes, SHA256: part.SHA256}
	for _, s := range part.Sections {
		sum.Rows[s.View] += s.Rows
	}
	return sum
}
