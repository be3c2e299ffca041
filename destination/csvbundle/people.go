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
	comments    idSet
	ticket      string            // of the row that is being read
	orphans     map[string]string // comments that only attachments know → their ticket
}

func newNoting() *noting {
	return &noting{
		have: map[string]map[string]struct{}{}, named: map[string]map[string]struct{}{},
		comments: idSet{}, orphans: map[string]string{},
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
			return func(id []byte) { n.comments[bytesKey(id)] = struct{}{} }
		case view == "attachments" && column == "ticket_id":
			return func(id []byte) { n.ticket = string(id) }
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

// attachedTo is called after the row's ticket was noted, and after all comments
// of the part were.
func (n *noting) attachedTo(comment []byte) {
	if _, known := n.comments[bytesKey(comment)]; !known {
		n.orphans[string(comment)] = n.ticket
	}
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
