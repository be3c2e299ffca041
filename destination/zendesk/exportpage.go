package zendesk

import (
	"io"
	"strconv"
)

// exportRoom is how much of a page is held at once, of 1.5 MB and more.
const exportRoom = 64 << 10

// exportedTicket is what a pass needs to know of a ticket of ours.
type exportedTicket struct {
	ID        int64
	SourceID  string
	Status    string
	Tagged    bool  // with the tag that is on all of ours
	Generated int64 // Unix seconds
}

func (t *exportedTicket) target() string { return strconv.FormatInt(t.ID, 10) }

// exported is a page of the incremental export, reduced to tickets of ours.
type exported struct {
	Ours   []exportedTicket
	Last   int64 // generated time of the last ticket, Unix seconds
	Cursor string
	End    bool
}

// read reads a page in place of what p was, keeping the tickets of ours.
func (p *exported) read(r *jsonReader, in io.Reader, prefix string) error {
	*p = exported{Ours: p.Ours[:0]}
	r.reset(in)
	for name := range r.members() { // without the closing brace the answer was cut
		switch string(name) {
		case "tickets":
			for range r.elements() {
				p.readTicket(r, prefix)
			}
		case "after_cursor":
			p.Cursor = r.text()
		case "end_of_stream":
			r.decode(&p.End)
		default:
			r.skip()
		}
	}
	return r.err
}

func (p *exported) readTicket(r *jsonReader, prefix string) {
	var t exportedTicket
	var externalID string
	for name := range r.members() {
		switch string(name) {
		case "id":
			t.ID = r.id().number()
		case "external_id":
			externalID = r.text()
		case "status":
			t.Status = r.text()
		case "tags":
			t.Tagged = hasTag(r)
		case "generated_timestamp":
			t.Generated = r.whole()
		default:
			r.skip()
		}
	}
	p.Last = max(p.Last, t.Generated)
	var ours bool
	if t.SourceID, ours = SourceID(prefix, externalID); ours && t.ID > 0 {
		p.Ours = append(p.Ours, t)
	}
}

// hasTag reads a ticket's tags, which may be null, and looks for ours.
func hasTag(r *jsonReader) (found bool) {
	if r.null() {
		return false
	}
	for range r.elements() {
		if r.text() == Tag {
			found = true
		}
	}
	return found
}
