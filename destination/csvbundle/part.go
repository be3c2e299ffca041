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
	"strings"

	"github.com/klauspost/compress/gzip"

	"farewell/destination"
	"farewell/migration"
)

// storedPart describes a complete part, each of whose views is a CSV file in
// its try. The description is written last, and under a name that does not
// change: a part exists if and only if its description does.
type storedPart struct {
	Migration migration.Migration `json:"migration"`
	Partition string              `json:"partition"`
	Pass      int                 `json:"pass"`
	After     string              `json:"after,omitempty"` // the partition's range
	UpTo      string              `json:"up_to,omitempty"`
	Form      form                `json:"form"`
	Try       string              `json:"try"`
	Run       string              `json:"run,omitempty"`   // of Temporal: a lost ledger counts its fences anew
	Fence     int64               `json:"fence,omitempty"` // of the try within the run
	Sections  []section           `json:"sections"`
	People    digest              `json:"people"`            // of peopleName
	Orphans   []string            `json:"orphans,omitempty"` // comments that only attachments know

	// gone is what the published bundle knows of a part whose files were
	// deleted since.
	gone *recordedPart
}

// isLater tells that an attempt which took the partition over after that one
// has written the part: a worker that was stopped and comes back must not
// replace what the ledger knows of.
func (p storedPart) isLater(run string, fence int64) bool { return p.Run == run && p.Fence > fence }

func overtaken(op string) error {
	return refused(op, "overtaken", errors.New("a later attempt has written this part"), "nothing: this attempt is over")
}

// peopleName is the file of a try that holds named, as JSON.
const peopleName = "people.json"

// section is one view of a part: a CSV file of the part's try.
type section struct {
	View    string             `json:"view"`
	Columns []migration.Column `json:"columns,omitempty"`
	Header  int64              `json:"header"` // bytes before the first row
	Rows    int64              `json:"rows"`
	Text    int64              `json:"text"` // bytes of the rows before compression
	Guarded map[string]int64   `json:"guarded,omitempty"`
	digest
}

// digest tells the part's content from any other.
func (p storedPart) digest() digest {
	var all digest
	var sums strings.Builder
	for _, s := range p.Sections {
		all.Bytes += s.Bytes
		sums.WriteString(s.View + " " + s.SHA256 + "\n")
	}
	all.SHA256 = digestOf(sums.String()).SHA256
	return all
}

// section is the part's section of a view, nil if it has none.
func (p storedPart) section(view string) *section {
	for i := range p.Sections {
		if p.Sections[i].View == view {
			return &p.Sections[i]
		}
	}
	return nil
}

func (p storedPart) ref() destination.PartRef {
	return destination.PartRef{Partition: p.Partition, Pass: p.Pass}
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
	if complete.isLater(in.Run, in.Fence) {
		return destination.Part{}, overtaken(op)
	}
	try, err := b.vault.beginTry(ctx, partKey(ref), complete.Try)
	if err != nil {
		return destination.Part{}, b.failure(op, err)
	}
	part := storedPart{
		Migration: in.Migration, Partition: ref.Partition, Pass: ref.Pass,
		After: in.Partition.After, UpTo: in.Partition.UpTo, Form: b.form.ofParts(), Try: try,
		Run: in.Run, Fence: in.Fence,
	}
	fates, err := b.store(ctx, op, &part, in, views, copy)
	if err == nil {
		err = b.failure(op, b.commit(ctx, op, part))
	}
	if err != nil {
		// Whoever called may be gone: what is left is deleted all the same.
		return destination.Part{}, errors.Join(err, b.failure(op+": clean up", b.vault.endTry(context.WithoutCancel(ctx), try)))
	}
	stored := summary(part)
	stored.Files = fates
	return stored, nil
}

func (b *Bundle) commit(ctx context.Context, op string, part storedPart) error {
	description, err := json.MarshalIndent(part, "", "  ")
	if err != nil {
		return err
	}
	replaced, err := b.storedPart(ctx, part.ref())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if replaced.isLater(part.Run, part.Fence) {
		return overtaken(op)
	}
	if err := b.vault.commitPart(ctx, partKey(part.ref()), part.Try, append(description, '\n')); err != nil {
		return err
	}
	if replaced.Try == "" || replaced.Try == part.Try {
		return nil
	}
	return b.vault.endTry(ctx, replaced.Try)
}

// store brings the rows of one try, and the files of its attachments, to where
// they stay. A failure of the store comes back as the destination's error, one
// of the source as it is.
func (b *Bundle) store(ctx context.Context, op string, part *storedPart, in destination.PartsInput, views []string, copy destination.CopyViews) (fates []migration.FileFate, err error) {
	w := &partWriter{ctx: ctx, bundle: b, part: part, columns: in.Columns, noting: newNoting()}
	w.noting.wanted = in.Files != nil
	counts, err := copy(func(view string) (io.Writer, error) {
		if !slices.Contains(views, view) || part.section(view) != nil {
			return nil, fmt.Errorf("view %s is opened twice, or is none of the part's", view)
		}
		return w.begin(view)
	})
	if err == nil {
		err = w.complete(op, views, counts)
	}
	if err == nil {
		fates, err = w.bringFiles(op, in.Files)
	}
	switch {
	case err == nil:
		return fates, nil
	case w.storeFailed() != nil:
		err = b.failure(op, w.storeFailed())
	case errors.Is(err, errInsideRow):
		err = &destination.Error{Op: op, Kind: destination.Temporary, Code: "cut short", Err: err}
	default:
		err = fmt.Errorf("%s: %w", op, err)
	}
	w.abandon()
	return nil, err
}

// partWriter writes one part's views, one after the other. Their files stay
// open until all are there, since later views may add to earlier ones.
type partWriter struct {
	ctx     context.Context
	bundle  *Bundle
	part    *storedPart
	columns destination.Columns
	noting  *noting
	files   []*viewFile
	failed  error // the first failure of the store outside a file
}

// viewFile is one view of a part in the making.
type viewFile struct {
	segment  *segment
	compress *gzip.Writer // nil: none
	rows     *rows
	header   int64
	closed   bool
}

// begin opens the file of a view.
func (w *partWriter) begin(view string) (io.Writer, error) {
	columns := w.columns[view]
	if view == filesTable {
		columns = fileColumns(w.columns["attachments"])
	}
	if len(columns) == 0 {
		return nil, fmt.Errorf("the columns of view %s are not known", view)
	}
	w.part.Sections = append(w.part.Sections, section{View: view, Columns: columns})
	to, err := w.bundle.vault.createRows(w.ctx, w.part.Try, view)
	if err != nil {
		w.failed = err
		return nil, err
	}
	f := &viewFile{segment: newSegment(to)}
	w.files = append(w.files, f)
	if err := w.bundle.writeText(f.segment, w.bundle.header(columns)); err != nil {
		return nil, err
	}
	f.header = f.segment.hashed.bytes + int64(f.segment.buffer.Buffered())
	var rows io.Writer = f.segment
	if w.bundle.form.Gzip {
		f.compress = w.bundle.gzips.begin(f.segment)
		rows = f.compress
	}
	f.rows = newRows(rows, columns, w.bundle.form, w.noting.of(view))
	return f.rows, nil
}

func (w *partWriter) storeFailed() error {
	for _, f := range w.files {
		if f.segment.err != nil {
			return f.segment.err
		}
	}
	return w.failed
}

func (w *partWriter) abandon() {
	for _, f := range w.files {
		if !f.closed {
			f.segment.abandon()
		}
	}
}

// complete adds what only a look at all views shows, and closes them.
func (w *partWriter) complete(op string, views []string, counts map[string]int64) error {
	for _, view := range views {
		i := slices.IndexFunc(w.part.Sections, func(s section) bool { return s.View == view })
		if i < 0 {
			return refused(op, "view not copied", fmt.Errorf("nothing was copied for view %s", view), "")
		}
		if got := w.files[i].rows.count; got != counts[view] {
			return fmt.Errorf("view %s: %w: %d rows arrived, the source wrote %d", view, errInsideRow, got, counts[view])
		}
	}
	if err := w.addOrphans(); err != nil {
		return err
	}
	for i, f := range w.files {
		if err := w.close(f, &w.part.Sections[i]); err != nil {
			return err
		}
	}
	return w.writePeople()
}

func (w *partWriter) close(f *viewFile, s *section) (err error) {
	if f.compress != nil {
		if err := w.bundle.gzips.end(f.compress); err != nil {
			return err
		}
	}
	s.Header, s.Rows, s.Text, s.Guarded = f.header, f.rows.count, f.rows.bytes, f.rows.guarded
	f.closed = true
	if s.digest, err = f.segment.close(); err != nil {
		w.failed = err
	}
	return err
}

// addOrphans adds a row, with ids and nothing else, for each comment that only
// attachments know, so that their foreign keys hold.
func (w *partWriter) addOrphans() error {
	i := slices.IndexFunc(w.part.Sections, func(s section) bool { return s.View == "comments" })
	if i < 0 {
		return nil
	}
	orphans := w.noting.orphans()
	w.part.Orphans = slices.Sorted(maps.Keys(orphans))
	comments := w.files[i].rows
	for _, id := range w.part.Orphans {
		row := idRow(w.columns["comments"], map[string]string{"id": id, "ticket_id": orphans[id]})
		if err := comments.pass([]byte(row)); err != nil { // its ids are guarded already
			return err
		}
		comments.count++
	}
	return nil
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

func (w *partWriter) writePeople() error {
	text, err := json.Marshal(w.noting.result())
	if err != nil {
		return err
	}
	w.part.People = digestOf(string(text))
	to, err := w.bundle.vault.createRows(w.ctx, w.part.Try, peopleName)
	if err == nil {
		if _, err = to.Write(text); err != nil {
			to.abandon()
		} else {
			err = to.finish()
		}
	}
	w.failed = err
	return err
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
	r, err := b.vault.openRows(ctx, p.Try, peopleName, 0)
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
	if digestOf(string(text)) != p.People {
		return n, b.damagedPart("read who is in part "+p.Partition, p, "people")
	}
	return n, json.Unmarshal(text, &n)
}

func summary(part storedPart) destination.Part {
	all := part.digest()
	sum := destination.Part{Rows: map[string]int64{}, Bytes: all.Bytes, SHA256: all.SHA256}
	for _, s := range part.Sections {
		sum.Rows[s.View] += s.Rows
	}
	return sum
}
