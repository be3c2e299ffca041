package zendesk

import "farewell/migration"

// translation is a mapping made ready for one account: every name in it is an
// id or tag that the account has. It is not changed once it is made.
type translation struct {
	status, priority, kind, channel words
	group, assignee, brand          words // ids
	rules                           []assignment
	asksFields                      bool // a rule has a condition on a field
	tags                            tagRules
	fields                          fieldRules
	note                            bool // keep what has no place in a private note
	users, organizations            recordRules
}

// words translates the words of an attribute.
type words struct {
	values    map[string]string // empty: left out
	known     func(word string) (own string, ok bool)
	otherwise string
	standard  string
}

// of is the target's word for one of the source. placed is false when the
// source has one that has no place.
func (w *words) of(word string) (target string, placed bool) {
	if word == "" {
		return w.standard, true
	}
	if target, listed := w.values[word]; listed {
		return target, target != ""
	}
	if target, ok := w.known(word); ok {
		return target, true
	}
	return w.otherwise, w.otherwise != ""
}

// tagRules translates tags.
type tagRules struct {
	values map[string]string // empty: left out
	add    []string
}

// fieldRules says where the fields of a kind of records go.
type fieldRules struct {
	listed map[string]*fieldRule // by name at the source
	own    map[string]*fieldRule // by id or key in the account: for names that are not listed
	absent []*fieldRule          // with a value for records that have none, in the order of the source's names
	other  *fieldRule            // for all other names: they have no place
}

func (r *fieldRules) of(name string) *fieldRule {
	if f := r.listed[name]; f != nil {
		return f
	}
	if f := r.own[name]; f != nil {
		return f
	}
	return r.other
}

// recordRules translates users or organizations.
type recordRules struct {
	tags   tagRules
	fields fieldRules
}

// assignment is a rule that gives tickets a group, an assignee or a brand.
type assignment struct {
	when                   []condition
	group, assignee, brand string // ids; empty: not this rule's
}

// condition judges a ticket as it was at the source, with its fields' values.
type condition func(t *migration.Ticket, fields map[string]string) bool

func (r *assignment) meets(t *migration.Ticket, fields map[string]string) bool {
	for _, met := range r.when {
		if !met(t, fields) {
			return false
		}
	}
	return true
}
