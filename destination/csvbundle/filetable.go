package csvbundle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"farewell/migration"
)

// filesTable says what became of the file of each attachment. It is beside
// attachments.csv, whose rows come from the source as they are: see
// docs/decisions/0008-files-in-a-bundle.md.
const filesTable = "attachment_files"

// fileRow is a row of filesTable.
type fileRow struct {
	fate   migration.FileFate // with the source's own ids
	path   string             // within the bundle; empty: it is not there
	digest digest
}

// The columns of filesTable behind the two ids.
const (
	filePath = iota + 2
	fileSize
	fileSHA256
	fileStatus
	fileCode
	fileReason
)

// fileColumns are those of filesTable. Its ids are of the types that they have
// in the attachments.
func fileColumns(attachments []migration.Column) []migration.Column {
	typeOf := func(column string) migration.ColumnType {
		for _, c := range attachments {
			if c.Name == column {
				return c.Type
			}
		}
		return migration.ColumnString
	}
	return []migration.Column{
		{Name: "attachment_id", Type: typeOf("id")}, {Name: "ticket_id", Type: typeOf("ticket_id")},
		{Name: "path", Type: migration.ColumnString}, {Name: "bytes", Type: migration.ColumnInteger}, {Name: "sha256", Type: migration.ColumnString},
		{Name: "status", Type: migration.ColumnString}, {Name: "reason_code", Type: migration.ColumnString}, {Name: "reason", Type: migration.ColumnString},
	}
}

// fileStatuses are the outcomes in words.
func fileStatuses() map[migration.Outcome]string {
	return map[migration.Outcome]string{migration.Created: "created", migration.Skipped: "skipped", migration.Failed: "failed"}
}

// text is the row as COPY would write it.
func (r fileRow) text() string {
	item := r.fate.Item(migration.Created)
	status := fileStatuses()[item.Outcome]
	if item.Outcome != migration.Created {
		return rowOf(&r.fate.ID, &r.fate.TicketID, nil, nil, nil, &status, &item.Code, &item.Text)
	}
	bytes := strconv.FormatInt(r.digest.Bytes, 10)
	return rowOf(&r.fate.ID, &r.fate.TicketID, &r.path, &bytes, &r.digest.SHA256, &status, nil, nil)
}

// writeFileRows writes the part's filesTable.
func (w *partWriter) writeFileRows(all []fileRow) error {
	to, err := w.begin(filesTable)
	if err != nil {
		return err
	}
	for _, row := range all {
		if _, err := io.WriteString(to, row.text()); err != nil {
			return err
		}
	}
	last := len(w.files) - 1
	return w.close(w.files[last], &w.part.Sections[last])
}

// listedFile is a row of filesTable as a bundle holds it.
type listedFile struct {
	id, path     string // the id as it stands there
	digest       digest
	status       string
	code, reason string
}

// errFileRow is a row of filesTable that says nothing sensible.
var errFileRow = errors.New("it is no row of " + filesTable)

func parseFileRow(record []cell) (f listedFile, err error) {
	if len(record) != fileReason+1 {
		return f, errFileRow
	}
	f = listedFile{
		id: record[0].text, path: record[filePath].text, status: record[fileStatus].text,
		code: record[fileCode].text, reason: record[fileReason].text,
	}
	f.digest.SHA256 = record[fileSHA256].text
	if f.path == "" {
		return f, nil
	}
	f.digest.Bytes, err = strconv.ParseInt(record[fileSize].text, 10, 64)
	return f, err
}

// eachFile calls do for every row of the filesTables of parts, in their order.
func (b *Bundle) eachFile(ctx context.Context, parts []storedPart, do func(storedPart, listedFile) error) error {
	for _, p := range parts {
		s := p.section(filesTable)
		if s == nil {
			continue
		}
		err := b.eachFileOf(ctx, p, func(f listedFile) error { return do(p, f) })
		if err != nil {
			return fmt.Errorf("the files of part %s pass %d: %w", p.Partition, p.Pass, err)
		}
	}
	return nil
}

func (b *Bundle) eachFileOf(ctx context.Context, p storedPart, do func(listedFile) error) error {
	text, err := b.openPiece(ctx, p, filesTable)
	if err != nil {
		return err
	}
	defer text.Close()
	rows := newReader(reading{ctx, text})
	if _, err := rows.read(); err != nil { // the header
		return err
	}
	for {
		record, err := rows.read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		f, err := parseFileRow(record)
		if err != nil {
			return err
		}
		if err := do(f); err != nil {
			return err
		}
	}
}
