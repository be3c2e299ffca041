package zendesk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"farewell/destination"
	"farewell/migration"
)

// readFile is an attachment as the account shows it
// (https://developer.zendesk.com/api-reference/ticketing/tickets/ticket-attachments/).
type readFile struct {
	Name     string `json:"file_name"`
	URL      string `json:"content_url"`
	Size     int64  `json:"size"`
	Scan     string `json:"malware_scan_result"`
	Released bool   `json:"malware_access_override"`
}

// readable tells whether the account gives the file out at all: not when its
// scan has found something, unless an admin says otherwise.
func (f *readFile) readable() bool { return f.Scan != "malware_found" || f.Released }

// sentFile is an attachment as it was sent.
type sentFile struct {
	name   string
	size   int64
	sha256 string // empty: not known; nor is the size then, if that is 0
	maybe  bool   // it expired, as did others of its ticket, or others alone
}

// linesFiles are the attachments that the account shows at a line.
type linesFiles struct {
	line *line
	read []readFile
}

// sentFiles stands in for the uploads with which tickets were sent: each
// attachment that went with its ticket has its own id for a token.
func sentFiles(in destination.ReadBackInput) uploads {
	up := uploads{tokens: map[string]string{}}
	for i := range in.Page.Tickets {
		t := &in.Page.Tickets[i]
		for _, f := range t.Files() {
			if code := in.Sent[t.ID].Files[f.ID].Code; code == "" || code == migration.FileExpired {
				up.tokens[f.ID] = f.ID
			}
		}
	}
	return up
}

// countFiles counts the attachments that the ticket was sent with.
func (d *draft) countFiles() int {
	n := 0
	for i := range d.lines {
		n += len(d.lines[i].uploads)
	}
	return n
}

// sent are the line's attachments as they were sent.
func (b *readBack) sent(t *migration.Ticket, l *line) []sentFile {
	files := make([]sentFile, 0, len(l.uploads))
	for _, a := range t.Files() {
		if !slices.Contains(l.uploads, a.ID) {
			continue
		}
		f := sentFile{name: fileName(a), size: a.Size, sha256: strings.ToLower(a.SHA256)}
		fate := b.in.Sent[t.ID].Files[a.ID]
		if fate.SHA256 != "" {
			f.size, f.sha256 = fate.Size, fate.SHA256
		}
		f.maybe = fate.Code == migration.FileExpired
		files = append(files, f)
	}
	return files
}

// files compares a ticket's attachments: all by count, name and size, and so
// many as may be downloaded by their bytes.
func (b *readBack) files(ctx context.Context, c *compared) error {
	left := mostDownloads
	for _, of := range c.files {
		sent := b.sent(c.d.t, of.line)
		same := sameList(sent, of.read)
		for i := 0; same && i < len(of.read) && left > 0; i++ {
			f := &of.read[i]
			if !f.readable() || !hasSum(sent, f) {
				continue
			}
			left--
			got, err := b.download(ctx, f)
			if err != nil {
				return fmt.Errorf("read the attachments of ticket %s back: %w", c.t.ID, err)
			}
			at := slices.IndexFunc(sent, func(s sentFile) bool { return s.name == got.name && s.size == got.size && s.sha256 == got.sha256 })
			if same = at >= 0; same {
				sent = slices.Delete(sent, at, at+1) // it may be there twice
			}
		}
		if !same {
			c.differs("comments.attachments", of.line.part(), migration.HashText(namesAndSizes(of.read)))
		}
	}
	return nil
}

// download reads a file of the account. One that cannot be had is equal to none
// that was sent.
func (b *readBack) download(ctx context.Context, f *readFile) (sentFile, error) {
	b.out.Requests++
	d := download{Account: b.a, limit: f.Size, moved: b.in.Moved}
	if err := d.run(ctx, f.URL); errors.Is(err, errNoFile) {
		return sentFile{}, nil
	} else if err != nil {
		return sentFile{}, err
	}
	return sentFile{name: f.Name, size: d.size, sha256: d.sha256}, nil
}

// sameList compares count, names and sizes; files have no order.
func sameList(sent []sentFile, read []readFile) bool {
	left := slices.Clone(sent)
	// Those of a known size choose first, before those that may be of any.
	slices.SortStableFunc(left, func(a, b sentFile) int { return cmp.Compare(b.size, a.size) })
	for i := range read {
		at := slices.IndexFunc(left, func(s sentFile) bool { return s.fits(&read[i]) })
		if at < 0 {
			return false
		}
		left = slices.Delete(left, at, at+1)
	}
	return !slices.ContainsFunc(left, func(s sentFile) bool { return !s.maybe })
}

func (s *sentFile) fits(f *readFile) bool {
	return s.name == f.Name && (s.size == f.Size || s.size == 0 && s.sha256 == "")
}

// hasSum tells whether the bytes can be compared with what was sent.
func hasSum(sent []sentFile, f *readFile) bool {
	return !slices.ContainsFunc(sent, func(s sentFile) bool { return s.fits(f) && s.sha256 == "" })
}

// namesAndSizes is what the account shows of the files, as text.
func namesAndSizes(read []readFile) string {
	read = slices.Clone(read)
	slices.SortFunc(read, func(a, b readFile) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Size, b.Size)) })
	var b strings.Builder
	for i := range read {
		fmt.Fprintf(&b, "%q %d\n", read[i].Name, read[i].Size)
	}
	return b.String()
}
