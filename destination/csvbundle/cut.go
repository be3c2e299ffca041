package csvbundle

import (
	"fmt"
	"io/fs"
	"slices"

	"farewell/migration"
)

const (
	// fileRows and fileBytes end a file at the boundary of the part before
	// which it would hold more: spreadsheets take 1,048,576 rows, and half a
	// million still scroll; 1 GB of text is what editors open.
	fileRows  = 500_000
	fileBytes = 1_000_000_000
)

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

func (f fileJob) bytes() (sum int64) {
	for _, p := range f.pieces {
		sum += p.Bytes
	}
	return sum
}
