package zendesk

// mentions collects the ids that a page names, each once, in their order.
type mentions struct {
	ids  []string
	has  map[string]struct{}
	last [4]string // added: a ticket names the same few people again and again
	next int
}

func newMentions(about int) *mentions {
	return &mentions{ids: make([]string, 0, about), has: make(map[string]struct{}, about)}
}

func (m *mentions) addNamed(id string) {
	if id != "" {
		m.add(id)
	}
}

func (m *mentions) add(id string) {
	for _, last := range m.last {
		if id == last && id != "" {
			return
		}
	}
	m.last[m.next] = id
	m.next = (m.next + 1) % len(m.last)
	if _, has := m.has[id]; !has {
		m.has[id] = struct{}{}
		m.ids = append(m.ids, id)
	}
}
