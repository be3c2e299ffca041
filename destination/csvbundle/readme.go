package csvbundle

import (
	"fmt"
	"strings"
)

// readme is README.txt: for the person who finds the bundle in ten years.
func readme(r *record) string {
	var b strings.Builder
	b.WriteString("This folder holds the records of your help desk, as CSV files below data/.\n\n")
	for _, t := range r.Tables {
		known, _ := tableNamed(t.Name)
		fmt.Fprintf(&b, "  %-22s %s: %d rows\n", readmeFiles(t), known.about, t.Rows)
	}
	if r.table(filesTable) != nil {
		fmt.Fprintf(&b, "  %-22s the files at messages, in a folder for each ticket\n", "attachments/")
	}
	fmt.Fprintf(&b, "  %-22s what is not as it should be; only a header row: nothing\n", "errors.csv")
	fmt.Fprintf(&b, "  %-22s every column, for programs (datapackage.org)\n", "datapackage.json")
	fmt.Fprintf(&b, `
The original id of every record is in its column id; columns that end in _id
say to which record it belongs. What was made after %s may
be missing. Times are UTC.

The format: UTF-8, separated by commas, the names of the columns in the first
row of every file, lines ending in LF. A cell with a comma, a quote or a line
break stands in double quotes, and a double quote inside it is doubled. Messages
hold line breaks, so do not count lines to count rows.

A cell with nothing in it has no value (NULL). A cell with two quotes, "", has
a value: the empty text. Most programs show both as empty.
`, r.AsOf.Format("2006-01-02 15:04:05 UTC"))
	b.WriteString(readmeAttachments(r))
	b.WriteString(readmeGuard(r.Form))
	b.WriteString(readmeOpening(r))
	b.WriteString(`
How to check it

  Every file's SHA-256 is in manifest-sha256.txt. On Linux, in this folder:
      sha256sum -c manifest-sha256.txt tagmanifest-sha256.txt
  On macOS: shasum -a 256 -c manifest-sha256.txt. On Windows: Get-FileHash.
  The folder is a BagIt bag (RFC 8493): libraries have programs that check it.
`)
	return b.String()
}

func readmeFiles(t recordedTable) string {
	if len(t.Files) == 1 {
		return strings.TrimPrefix(t.Files[0].Path, dataFolder+"/")
	}
	return t.Name + "-0001 to -" + fmt.Sprintf("%04d", len(t.Files))
}

func readmeAttachments(r *record) string {
	if r.table(filesTable) == nil {
		return ""
	}
	return fmt.Sprintf(`
The column path of %s says where in this folder the file of
each attachment is; the file's own name is in attachments.csv, under the id that
is attachment_id there. A file that could not be had has no path but a reason.
`, readmePath(r, filesTable))
}

func readmeGuard(f form) string {
	if f.Raw {
		return `
Texts stand here exactly as they were, also those that a spreadsheet would run
as a formula because they begin with = + - or @. Open the files in spreadsheets
with all columns as text.
`
	}
	return `
Texts that begin with = + - @, a tab or a line break have an apostrophe (') put
in front: strangers wrote them, and a spreadsheet would run them as a formula.
To get such a text back, take one apostrophe away. Numbers and times are never
changed.
`
}

func readmeOpening(r *record) string {
	users, tickets := readmePath(r, "users"), readmePath(r, "tickets")
	unpacked := ""
	if r.Form.Gzip {
		unpacked = "\n  The files are compressed. Unpack them first with gunzip or 7-Zip, except for\n  Python, which reads them as they are.\n"
	}
	reading := "data/" + users
	copyFrom := fmt.Sprintf(`\copy users from 'data/%s' with (format csv, header)`, users)
	if r.Form.Gzip {
		copyFrom = fmt.Sprintf(`\copy users from program 'gzip -dc data/%s' with (format csv, header)`, users)
	}
	return fmt.Sprintf(`
How to open it
%s
  Excel        Data > From Text/CSV, file origin 65001 (UTF-8), and set the
               columns with text to the type Text.
  LibreOffice  File > Open, character set UTF-8, separator comma, and leave
               "Evaluate formulas" off.
  Python       pandas.read_csv("%s", dtype=str)
  DuckDB       select * from read_csv('data/%s', all_varchar=true)
  PostgreSQL   %s
               (make the table first, with a column for each in the header row)
`, unpacked, reading, tickets, copyFrom)
}

func readmePath(r *record, table string) string {
	return strings.TrimPrefix(r.table(table).Files[0].Path, dataFolder+"/")
}
