package csvbundle

import (
	"crypto/sha256"
	"maps"
	"slices"

	"farewell/migration"
)

// named is who is in a part and whom its records name: by table, ids in the
// form that the files have.
type named struct {
	Have  map[string][]string `json:"have"`
	Named map[string][]string `json:"named"`
}

// noting gathers the ids of a part while it streams by.
type noting struct {
	have, named map[string]map[string]struct{}
	comments    [][16]byte                   // bytesKey of each
	ticket      string                       // of the row that is being read
	attached    map[[16]byte]attachedComment // to which there are attachments

	wanted bool       // whether the attachments themselves are noted
	file   string     // id of the attachment that is being read
	files  []attached // each once, in their order
	seen   idSet
}

// attachedComment is a comment that an attachment names.
type attachedComment struct{ id, ticket string }

func newNoting() *noting {
	return &noting{
		have: map[string]map[string]struct{}{}, named: map[string]map[string]struct{}{},
		attached: map[[16]byte]attachedComment{}, seen: idSet{},
	}
}

// of says what to do with the ids in a column of a view.
func (n *noting) of(view string) func(column string) func([]byte) {
	t, _ := tableNamed(view)
	return func(column string) func([]byte) {
		switch {
		case column == "id" && slices.Contains(people(), migration.Entity(view)):
			return into(n.have, view)
		case column == "id" && view == "comments":
			return func(id []byte) { n.comments = append(n.comments, bytesKey(id)) }
		case view == "attachments" && column == "id" && n.wanted:
			return func(id []byte) { n.file = string(id) }
		case view == "attachments" && column == "ticket_id":
			return n.ofTicket
		case view == "attachments" && column == "comment_id":
			return n.attachedTo
		case slices.Contains(people(), migration.Entity(t.foreign[column])):
			return into(n.named, t.foreign[column])
		}
		return nil
	}
}

func into(all map[string]map[string]struct{}, table string) func([]byte) {
	set := all[table]
	if set == nil {
		set = map[string]struct{}{}
		all[table] = set
	}
	return noteIn(set)
}

func noteIn(set map[string]struct{}) func([]byte) {
	return func(id []byte) {
		if _, known := set[string(id)]; !known { // no allocation for those seen before
			set[string(id)] = struct{}{}
		}
	}
}

// ofTicket is called after the row's own id was noted.
func (n *noting) ofTicket(ticket []byte) {
	n.ticket = string(ticket)
	if n.file != "" && n.seen.add(n.file) {
		n.files = append(n.files, attached{n.file, n.ticket})
	}
	n.file = ""
}

// attachedTo is called after the row's ticket was noted.
func (n *noting) attachedTo(comment []byte) {
	key := bytesKey(comment)
	if _, known := n.attached[key]; !known {
		n.attached[key] = attachedComment{string(comment), n.ticket}
	}
}

// orphans are the comments that only attachments know, and their tickets. There
// are few attachments and many comments, so it is the attachments that are
// looked up by.
func (n *noting) orphans() map[string]string {
	orphans := maps.Clone(n.attached)
	for _, key := range n.comments {
		delete(orphans, key)
	}
	ticketOf := make(map[string]string, len(orphans))
	for _, o := range orphans {
		ticketOf[o.id] = o.ticket
	}
	return ticketOf
}

func (n *noting) result() named {
	return named{Have: sorted(n.have), Named: sorted(n.named)}
}

func sorted(sets map[string]map[string]struct{}) map[string][]string {
	lists := map[string][]string{}
	for table, set := range sets {
		lists[table] = slices.Sorted(maps.Keys(set))
	}
	return lists
}

// idSet remembers ids in 16 bytes each, however long they are.
type idSet map[[16]byte]struct{}

func idKey(id string) [16]byte { return bytesKey([]byte(id)) }

// bytesKey is the id itself where it fits, else half its SHA-256. The last byte
// tells which.
func bytesKey(id []byte) (key [16]byte) {
	if len(id) < len(key) {
		copy(key[:], id)
		key[15] = byte(len(id))
		return key
	}
	sum := sha256.Sum256(id)
	copy(key[:], sum[:15])
	key[15] = 0xff
	return key
}

func (s idSet) add(id string) (added bool) {
	before := len(s)
	s[idKey(id)] = struct{}{}
	return len(s) > before
}

func (s idSet) has(id string) bool {
	_, ok := s[idKey(id)]
	return ok
}
