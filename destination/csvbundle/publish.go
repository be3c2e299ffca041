package csvbundle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"farewell/destination"
	"farewell/migration"
)

const (
	// fileRows and fileBytes end a file at the boundary of the part before
	// which it would hold more: spreadsheets take 1,048,576 rows, and half a
	// million still scroll; 1 GB of text is what editors open.
	fileRows  = 500_000
	fileBytes = 1_000_000_000
)

// Publish implements destination.Streams. Killed at any moment, it leaves the
// old bundle, the new one or none under the bundle's name, never a mixture;
// the next Publish repairs what it left.
//
// Parts that the published bundle holds and that in.Parts does not name stay
// in it, before the named ones: a ledger that was lost and rebuilt names no
// parts of earlier runs, and nothing is ever taken out of a bundle. When the
// published bundle has exactly these parts already, nothing is written.
func (b *Bundle) Publish(ctx context.Context, in destination.PublishInput) (destination.Bundle, error) {
	op := "publish bundle " + b.vault.where()
	unlock, err := b.vault.lock(ctx)
	if err != nil {
		return destination.Bundle{}, b.failure(op, err)
	}
	defer unlock()
	r, err := b.publish(ctx, op, in)
	if err != nil {
		return destination.Bundle{}, b.failure(op, err)
	}
	return destination.Bundle{Path: b.vault.where(), Rows: r.rows()}, nil
}

func (b *Bundle) publish(ctx context.Context, op string, in destination.PublishInput) (*record, error) {
	// What is in the way ends it here: what was moved away may be the only
	// bundle that there is.
	if _, err := b.record(ctx); err != nil {
		return nil, err
	}
	if err := b.vault.repair(ctx); err != nil {
		return nil, err
	}
	old, err := b.record(ctx)
	if err != nil {
		return nil, err
	}
	parts, err := b.gather(ctx, op, in, old)
	if err != nil {
		return nil, err
	}
	keep := map[string]string{}
	for _, p := range parts {
		keep[partKey(p.ref())] = p.Try
	}
	if old != nil && old.Form == b.form && sameParts(old.Parts, parts) {
		same, err := b.intact(ctx, old)
		if err != nil {
			return nil, err
		}
		if same {
			return old, b.tidy(ctx, parts, keep)
		}
	}
	var made *record
	err = b.vault.publish(ctx, func(s shelf) error {
		made, err = b.assemble(ctx, op, s, in, parts)
		return err
	})
	if err != nil {
		return nil, err
	}
	return made, b.tidy(ctx, parts, keep)
}

// tidy deletes what nobody needs once the parts are published.
func (b *Bundle) tidy(ctx context.Context, parts []storedPart, keep map[string]string) error {
	return errors.Join(b.vault.tidy(ctx, keep), b.dropUnused(ctx, parts))
}

func (b *Bundle) intact(ctx context.Context, r *record) (bool, error) {
	bag, err := b.vault.published(ctx)
	if err != nil {
		return false, err
	}
	defer bag.Close()
	return r.intact(bag), nil
}

// gather lists the parts of the bundle in their order.
func (b *Bundle) gather(ctx context.Context, op string, in destination.PublishInput, old *record) ([]storedPart, error) {
	var refs []destination.PartRef
	if old != nil {
		if err := b.belongs(op, old.Migration, in.Migration); err != nil {
			return nil, err
		}
		for _, p := range old.Parts {
			if !slices.Contains(in.Parts, p.ref()) {
				refs = append(refs, p.ref())
			}
		}
	}
	refs = append(refs, in.Parts...)

	parts := make([]storedPart, 0, len(refs))
	seen := make(map[destination.PartRef]bool, len(refs))
	for _, ref := range refs {
		if seen[ref] {
			return nil, refused(op, "part named twice", fmt.Errorf("part %s pass %d is named twice: its records would be in the bundle twice", ref.Partition, ref.Pass), "")
		}
		seen[ref] = true
		part, err := b.findPart(ctx, op, ref, old)
		if err != nil {
			return nil, err
		}
		if err := b.belongs(op, part.Migration, in.Migration); err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	return parts, nil
}

// findPart describes a part: one that is stored or, if it was deleted since,
// one of the published bundle. That will do as long as nothing is to be added.
func (b *Bundle) findPart(ctx context.Context, op string, ref destination.PartRef, old *record) (storedPart, error) {
	part, err := b.storedPart(ctx, ref)
	if err == nil && part.Form != b.form.ofParts() {
		return part, misconfigured(op, fmt.Errorf("part %s pass %d was written when the account's url had other options (compress, raw, excel)", ref.Partition, ref.Pass),
			"put the options back as they were; to export afresh with the new ones, drop the migration from the ledger and move "+b.vault.staging()+" away")
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return part, err
	}
	if old == nil || old.part(ref) == nil {
		return storedPart{}, b.missingPart(op, ref, err)
	}
	p := old.part(ref)
	return storedPart{Migration: old.Migration, Partition: p.Partition, Pass: p.Pass, After: p.After, UpTo: p.UpTo, gone: p}, nil
}

func (b *Bundle) missingPart(op string, ref destination.PartRef, err error) error {
	return refused(op, "part missing", fmt.Errorf("part %s pass %d is not complete in %s: %w", ref.Partition, ref.Pass, b.vault.staging(), err),
		"bring it back if it was deleted or moved; else export the partition again")
}

func sameParts(old []recordedPart, parts []storedPart) bool {
	return slices.EqualFunc(old, parts, func(o recordedPart, p storedPart) bool { return o.equal(p.recorded()) })
}

// Missing implements destination.Streams.
func (b *Bundle) Missing(ctx context.Context, in destination.PublishInput) (map[migration.Entity][]string, error) {
	op := "look who is missing in bundle " + b.vault.where()
	old, err := b.record(ctx)
	if err != nil {
		return nil, b.failure(op, err)
	}
	parts, err := b.gather(ctx, op, in, old)
	if err != nil {
		return nil, b.failure(op, err)
	}
	lost, err := b.missing(ctx, parts)
	if err != nil {
		return nil, b.failure(op, err)
	}
	missing := map[migration.Entity][]string{}
	for _, e := range people() {
		for _, id := range lost[string(e)] {
			if !b.form.Raw {
				id = unguard(id)
			}
			missing[e] = append(missing[e], id)
		}
	}
	return missing, nil
}

// missing lists, by table and in the form that the files have, the ids that
// the parts name and do not hold. It keeps no more than 16 bytes of who is
// there; people come before those who name them, so hardly anybody is awaited.
func (b *Bundle) missing(ctx context.Context, parts []storedPart) (map[string][]string, error) {
	have, awaited := map[string]idSet{}, map[string]map[[16]byte]string{}
	for _, e := range people() {
		have[string(e)], awaited[string(e)] = idSet{}, map[[16]byte]string{}
	}
	for _, p := range parts {
		if p.Try == "" {
			continue // deleted since it was published: whom it names is there
		}
		n, err := b.readPeople(ctx, p)
		if err != nil {
			return nil, err
		}
		for table, ids := range n.Have {
			for _, id := range ids {
				have[table].add(id)
				delete(awaited[table], idKey(id))
			}
		}
		for table, ids := range n.Named {
			for _, id := range ids {
				if !have[table].has(id) {
					awaited[table][idKey(id)] = id
				}
			}
		}
	}
	lost := map[string][]string{}
	for table, ids := range awaited {
		if len(ids) > 0 {
			lost[table] = slices.Sorted(maps.Values(ids))
		}
	}
	return lost, nil
}

// assemble writes the complete bundle, the manifest last.
func (b *Bundle) assemble(ctx context.Context, op string, s shelf, in destination.PublishInput, parts []storedPart) (*record, error) {
	lost, err := b.missing(ctx, parts)
	if err != nil {
		return nil, err
	}
	r := &record{Format: recordFormat, Migration: in.Migration, AsOf: in.AsOf.UTC(), Form: b.form}
	for _, p := range parts {
		r.Parts = append(r.Parts, p.recorded())
	}
	w := newBagWriter(s)
	var files []fileJob
	for _, t := range tables() {
		columns := in.Columns[t.name]
		if t.name == filesTable {
			if !hasFiles(parts) {
				continue
			}
			columns = fileColumns(in.Columns[string(migration.Attachments)])
		}
		table, jobs, err := b.cut(op, t, columns, parts, lost[t.name])
		if err != nil {
			return nil, err
		}
		r.Tables = append(r.Tables, table)
		files = append(files, jobs...)
	}
	if err := b.writeFiles(ctx, op, w, r, files); err != nil {
		return nil, err
	}
	all := faults(parts, lost)
	if hasFiles(parts) {
		if err := b.writeAttachments(ctx, op, s, parts); err != nil {
			return nil, err
		}
		files, err := b.fileFaults(ctx, parts)
		if err != nil {
			return nil, err
		}
		all = append(all, files...)
		w.attachments = func(do func(string, digest) error) error {
			return b.eachFile(ctx, parts, func(_ storedPart, f listedFile) error {
				if f.path == "" {
					return nil
				}
				return do(f.path, f.digest)
			})
		}
	}
	return r, w.complete(r, all)
}

// fileJob is one of a table's files that is to be written.
type fileJob struct {
	table   int // index in record.Tables
	file    int
	columns []migration.Column
	pieces  []piece
	extra   []string // rows that no part has
}

// piece is one view of a part.
type piece struct {
	part storedPart
	*section
}

// large pieces of tables with numbered files become files of their own, which
// share their bytes with the part; smaller ones are put together.
const large = 4 << 20

// cut divides a table into files, and says what each will hold.
func (b *Bundle) cut(op string, t table, columns []migration.Column, parts []storedPart, lost []string) (recordedTable, []fileJob, error) {
	of := recordedTable{Name: t.name, Columns: columns}
	jobs := []fileJob{{}}
	var rows, text int64
	for _, p := range parts {
		if p.gone != nil && p.gone.Rows[t.name] > 0 {
			return of, nil, b.missingPart(op, p.ref(), fs.ErrNotExist)
		}
		s := p.section(t.name)
		if s == nil || s.Rows == 0 {
			continue
		}
		if !slices.Equal(s.Columns, columns) {
			return of, nil, refused(op, "columns changed", fmt.Errorf("the columns of %s are not those that part %s pass %d was written with", t.name, p.Partition, p.Pass),
				"put the views back as they were; to export afresh, drop the migration from the ledger and move "+b.vault.staging()+" away")
		}
		alone := t.numbered && s.Text >= large
		last := &jobs[len(jobs)-1]
		if rows > 0 && (alone || last.alone(t) || rows+s.Rows > fileRows || text+s.Text > fileBytes) {
			jobs = append(jobs, fileJob{})
			last = &jobs[len(jobs)-1]
			rows, text = 0, 0
		}
		last.pieces = append(last.pieces, piece{p, s})
		rows, text = rows+s.Rows, text+s.Text
		of.Guarded = addCounts(of.Guarded, s.Guarded)
	}
	for _, id := range lost {
		last := &jobs[len(jobs)-1]
		last.extra = append(last.extra, idRow(columns, map[string]string{"id": id}))
	}
	for i, name := range t.fileNames(len(jobs), b.form) {
		of.Files = append(of.Files, tableFile{Path: dataFolder + "/" + name})
		jobs[i].table, jobs[i].file, jobs[i].columns = slices.IndexFunc(tables(), func(u table) bool { return u.name == t.name }), i, columns
	}
	return of, jobs, nil
}

// alone tells whether the file is one large piece.
func (f fileJob) alone(t table) bool {
	return t.numbered && len(f.pieces) == 1 && f.pieces[0].Text >= large
}

func addCounts(sum, more map[string]int64) map[string]int64 {
	for column, n := range more {
		if sum == nil {
			sum = map[string]int64{}
		}
		sum[column] += n
	}
	return sum
}

// atATime is how many files are written at a time: one is read and hashed
// while another waits for the disk.
const atATime = 2

// writeFiles writes all of the tables' files.
func (b *Bundle) writeFiles(ctx context.Context, op string, w *bagWriter, r *record, files []fileJob) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	workers := 1
	if w.shelf.parallel() {
		workers = atATime
	}
	queue := make(chan fileJob, len(files))
	// The large ones first, so that no worker is left with one at the end.
	slices.SortStableFunc(files, func(a, b fileJob) int { return int(b.bytes() - a.bytes()) })
	for _, f := range files {
		queue <- f
	}
	close(queue)
	failures := make(chan error, workers)
	for range workers {
		go func() {
			for f := range queue {
				if err := b.writeFile(ctx, op, w, &r.Tables[f.table].Files[f.file], f); err != nil {
					cancel()
					failures <- err
					return
				}
			}
			failures <- nil
		}()
	}
	var first error
	for range workers {
		if err := <-failures; err != nil && (first == nil || errors.Is(first, context.Canceled)) {
			first = err
		}
	}
	for i := range r.Tables {
		for _, f := range r.Tables[i].Files {
			r.Tables[i].Rows += f.Rows
		}
	}
	return first
}

func (f fileJob) bytes() (sum int64) {
	for _, p := range f.pieces {
		sum += p.Bytes
	}
	return sum
}

// writeFile writes one file: the header row, then every part's rows, in one
// ordered read.
func (b *Bundle) writeFile(ctx context.Context, op string, w *bagWriter, to *tableFile, f fileJob) error {
	if err := ctx.Err(); err != nil {
		return err // what need not be read would not notice
	}
	if len(f.pieces) == 1 && len(f.extra) == 0 {
		done, err := b.adopt(ctx, op, w, to, f.pieces[0])
		if done || err != nil {
			return err
		}
	}
	s, err := w.create(to.Path)
	if err != nil {
		return err
	}
	if err := b.fillFile(ctx, op, s, to, f); err != nil {
		s.abandon()
		return err
	}
	to.digest, err = w.close(to.Path, s)
	return err
}

// adopt makes a part's file the bundle's, after one ordered read of it unless
// it is as it was when it was hashed. false: it has to be copied.
func (b *Bundle) adopt(ctx context.Context, op string, w *bagWriter, to *tableFile, p piece) (bool, error) {
	if done, err := w.shelf.adopt(p.part.Try, p.View, to.Path); !done {
		if errors.Is(err, fs.ErrNotExist) {
			err = b.missingPart(op, p.part.ref(), err)
		}
		return false, err
	}
	if !b.vault.untouched(p.part.Try, p.View) {
		if err := b.readPiece(ctx, op, p, 0, io.Discard); err != nil {
			return false, err
		}
	}
	to.Rows, to.digest = p.Rows, p.digest
	w.note(to.Path, p.digest)
	return true, nil
}

func (b *Bundle) fillFile(ctx context.Context, op string, s *segment, to *tableFile, f fileJob) error {
	if err := b.writeText(s, b.header(f.columns)); err != nil {
		return err
	}
	for _, p := range f.pieces {
		if err := b.readPiece(ctx, op, p, p.Header, s); err != nil {
			return err
		}
		to.Rows += p.Rows
	}
	to.Rows += int64(len(f.extra))
	return b.writeText(s, strings.Join(f.extra, ""))
}

// writeText writes text in the file's form. Compressed files are one gzip
// member after the other, which is a gzip file (RFC 1952, section 2.2).
func (b *Bundle) writeText(to io.Writer, text string) error {
	if text == "" {
		return nil
	}
	if !b.form.Gzip {
		_, err := io.WriteString(to, text)
		return err
	}
	w := b.gzips.begin(to)
	_, err := io.WriteString(w, text)
	return errors.Join(err, b.gzips.end(w))
}

// readPiece reads one view of a part, passes on what follows its first bytes,
// and refuses it when it is not what was written.
func (b *Bundle) readPiece(ctx context.Context, op string, p piece, skip int64, to io.Writer) error {
	from, err := b.vault.openRows(ctx, p.part.Try, p.View, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return b.missingPart(op, p.part.ref(), err)
	}
	if err != nil {
		return err
	}
	defer from.Close()
	hashed := newHashing(io.Discard)
	begin, err := io.CopyN(hashed, reading{ctx, from}, skip)
	if err == nil {
		hashed.to = to
		_, err = io.CopyBuffer(hashed, reading{ctx, from}, make([]byte, bufferSize))
	}
	if errors.Is(err, io.EOF) && begin < skip {
		err = nil // it is too short, as its digest says
	}
	if err != nil {
		return err
	}
	if hashed.digest() != p.digest {
		return b.damagedPart(op, p.part, p.View)
	}
	return nil
}

func (b *Bundle) damagedPart(op string, p storedPart, view string) error {
	return refused(op, "part damaged", fmt.Errorf("the rows of %s in %s/%s are not what was written", view, b.vault.staging(), p.Try),
		"look at the store; bring the part back from a copy, or export the partition again")
}

// reading ends a long copy when nobody waits for it any more.
type reading struct {
	ctx  context.Context
	from io.Reader
}

func (r reading) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.from.Read(p)
}

// header is what each of a table's files begins with.
func (b *Bundle) header(columns []migration.Column) string {
	if b.form.Excel {
		return "\ufeff" + headerRow(columns)
	}
	return headerRow(columns)
}

func headerRow(columns []migration.Column) string {
	cells := make([]*string, len(columns))
	for i := range columns {
		cells[i] = &columns[i].Name
	}
	return rowOf(cells...)
}
