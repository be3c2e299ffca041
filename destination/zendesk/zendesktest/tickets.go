package zendesktest

import (
	"slices"
	"sort"
)

// ticket is what is stored of a ticket. It never changes after its creation, but for deleted.
type ticket struct {
	id             int64
	externalID     string
	subject        string
	requesterID    int64
	submitterID    int64
	assigneeID     int64
	organizationID int64
	groupID        int64
	created        int64 // unix seconds, as all times here but imported
	updated        int64
	solved         int64
	imported       int64 // nanoseconds since 1970: when it came into being here
	firstComment   int64 // id of comments[0] as they were sent; the others follow
	description    string
	comments       []comment // in the order in which they are read
	tags           []string  // sorted
	fields         []fieldValue
	rare           *rare
	status         status
	priority       priority
	kind           kind
	untitled       bool // no subject was sent
	archived       bool
	deleted        bool
}

// rare is what few tickets have.
type rare struct {
	recipient, channel       string
	brandID, formID          int64
	problemID, customStatus  int64
	due                      int64
	collaborators, followers []int64
	emailCCs                 []int64
}

type comment struct {
	authorID int64
	created  int64
	text     string
	files    *commentFiles
	position int32 // in the order in which the comments were sent
	private  bool
	html     bool
}

type commentFiles struct {
	tokens []string // as sent
	files  []*file  // as attached
}

type fieldValue struct {
	id    int64
	value string // JSON
}

type status uint8
type priority uint8
type kind uint8

const statusClosed, statusOpen, statusNew status = 6, 2, 1

var (
	statusNames   = [...]string{"", "new", "open", "pending", "hold", "solved", "closed"}
	priorityNames = [...]string{"", "low", "normal", "high", "urgent"}
	kindNames     = [...]string{"", "problem", "incident", "question", "task"}
)

// ticketStore holds the tickets of an account.
type ticketStore struct {
	byID        []*ticket // at its id; nil where a number was skipped
	byExternal  map[string]*ticket
	copies      map[string][]*ticket // further tickets of the same external id
	changes     []change
	live        int
	comments    int
	attachments int
	nextComment int64
}

// change is an entry of the incremental export: ids in the order in which they were generated. A deletion is a further
// change, and makes the earlier entry void.
type change struct {
	at int64 // nanoseconds
	id int64
}

func newTicketStore(account int64) ticketStore {
	return ticketStore{byID: make([]*ticket, 1), byExternal: map[string]*ticket{}, copies: map[string][]*ticket{}, nextComment: account*1_000_000 + 1}
}

// reserve takes the next number; it stays skipped when the ticket is then refused.
func (s *ticketStore) reserve() int64 {
	s.byID = append(s.byID, nil)
	return int64(len(s.byID) - 1)
}

func (s *ticketStore) add(t *ticket) {
	s.byID[t.id] = t
	s.live++
	s.comments += len(t.comments)
	s.changes = append(s.changes, change{t.imported, t.id})
	if t.externalID == "" {
		return
	}
	if s.byExternal[t.externalID] == nil {
		s.byExternal[t.externalID] = t
		return
	}
	s.copies[t.externalID] = append(s.copies[t.externalID], t)
}

// get returns nil for a ticket that is not there, or no longer.
func (s *ticketStore) get(id int64) *ticket {
	if id < 1 || id >= int64(len(s.byID)) || s.byID[id] == nil || s.byID[id].deleted {
		return nil
	}
	return s.byID[id]
}

func (s *ticketStore) delete(t *ticket, now int64) {
	t.deleted = true
	s.live--
	s.comments -= len(t.comments)
	for i := range t.comments {
		if f := t.comments[i].files; f != nil {
			s.attachments -= len(f.files)
		}
	}
	s.changes = append(s.changes, change{now, t.id})
	if t.externalID != "" {
		s.forgetExternal(t)
	}
}

func (s *ticketStore) forgetExternal(t *ticket) {
	rest := slices.DeleteFunc(s.copies[t.externalID], func(c *ticket) bool { return c == t })
	if s.byExternal[t.externalID] == t {
		delete(s.byExternal, t.externalID)
		if len(rest) > 0 {
			s.byExternal[t.externalID], rest = rest[0], rest[1:]
		}
	}
	if len(rest) == 0 {
		delete(s.copies, t.externalID)
		return
	}
	s.copies[t.externalID] = rest
}

// of returns all tickets with an external id.
func (s *ticketStore) of(externalID string) []*ticket {
	first := s.byExternal[externalID]
	if first == nil {
		return nil
	}
	return append([]*ticket{first}, s.copies[externalID]...)
}

// duplicates counts the tickets beyond the first of each external id.
func (s *ticketStore) duplicates() int {
	n := 0
	for _, more := range s.copies {
		n += len(more)
	}
	return n
}

// since is the index of the first change at or after a time.
func (s *ticketStore) since(nanos int64) int {
	return sort.Search(len(s.changes), func(i int) bool { return s.changes[i].at >= nanos })
}

// public is false only when no comment is public.
func (t *ticket) public() bool {
	for i := range t.comments {
		if !t.comments[i].private {
			return true
		}
	}
	return false
}

func (t *ticket) hasTag(tag string) bool {
	_, found := slices.BinarySearch(t.tags, tag)
	return found
}
