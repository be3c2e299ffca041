package zendesk

import "slices"

// mentions collects the ids that a page names.
type mentions struct {
	ids  []string
	last [4]string // a ticket names the same few people again and again
	next int
}

func newMentions(about int) *mentions { return &mentions{ids: make([]string, 0, about)} }

func (m *mentions) add(id string) {
	if id != "" && slices.Contains(m.last[:], id) {
		return
	}
	m.last[m.next] = id
	m.next = (m.next + 1) % len(m.last)
	m.ids = append(m.ids, id)
}

func (m *mentions) addNamed(id string) {
	if id != "" {
		m.add(id)
	}
}

// each lists every id once, in order.
func (m *mentions) each() []string {
	slices.Sort(m.ids)
	return slices.Compact(m.ids)
}
