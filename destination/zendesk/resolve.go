package zendesk

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"farewell/mapping"
	"farewell/migration"
)

// resolve finds every name of a mapping in the account's catalogue. agents are
// the ids of those that agentsOf lists, "" for those who are none. Without
// problems, the translation is complete.
func resolve(m *mapping.Mapping, c *catalogue, agents map[string]string) (*translation, []mapping.Problem) {
	r := &resolution{m: m, agents: agents, groups: byName(c.groups), brands: byName(c.brands)}
	t := &m.Tickets
	tr := &translation{
		status:   ownWords(t.Status, mapping.Statuses()),
		priority: ownWords(t.Priority, mapping.Priorities()),
		kind:     ownWords(t.Type, mapping.Types()),
		channel:  words{values: t.Channel.Values, known: itself, otherwise: t.Channel.Otherwise, standard: t.Channel.Default},
		group:    r.words("tickets.group", t.Group, r.group),
		assignee: r.words("tickets.assignee", t.Assignee, r.agent),
		brand:    r.words("tickets.brand", t.Brand, r.brand),
		tags:     tagRules{values: t.Tags.Values, add: cleanTags(t.Tags.Add)},
		note:     t.Keep == mapping.KeepNote,
	}
	tr.group.known = r.groups.find
	tr.brand.known = r.brands.find
	for i, rule := range t.Assign {
		tr.rules = append(tr.rules, r.rule(mapping.Path("tickets.assign", strconv.Itoa(i)), rule))
		tr.asksFields = tr.asksFields || len(rule.When.Field) > 0
	}
	tr.fields = r.fields("tickets.fields", "ticket field", t.Fields, c.ticketFields, t.Keep)
	tr.users = r.records("users", "user field", m.Users, c.userFields)
	tr.organizations = r.records("organizations", "organization field", m.Organizations, c.organizationFields)
	return tr, r.problems
}

// agentsOf lists the agents whom a mapping names, each once.
func agentsOf(m *mapping.Mapping) []string {
	w := m.Tickets.Assignee
	names := append(slices.Sorted(maps.Values(w.Values)), w.Otherwise, w.Default)
	for _, rule := range m.Tickets.Assign {
		names = append(names, rule.Assignee)
	}
	slices.Sort(names)
	return slices.DeleteFunc(slices.Compact(names), func(name string) bool { return name == "" })
}

func itself(word string) (string, bool) { return word, true }

// ownWords translates into words that are the target's own.
func ownWords(w mapping.Words, known []string) words {
	return words{values: w.Values, otherwise: w.Otherwise, standard: w.Default,
		known: func(word string) (string, bool) { return word, slices.Contains(known, word) }}
}

// index finds groups or brands by id and by name, in any case.
type index struct {
	ids   map[string]string // by id and by lower case name; empty: several have that name
	names []string
}

func byName(list []named) index {
	x := index{ids: map[string]string{}}
	for _, n := range list {
		key := strings.ToLower(n.Name)
		if _, twice := x.ids[key]; twice {
			x.ids[key] = ""
		} else {
			x.ids[key] = string(n.ID)
		}
		x.names = append(x.names, n.Name)
	}
	for _, n := range list {
		x.ids[string(n.ID)] = string(n.ID)
	}
	return x
}

func (x index) find(name string) (id string, ok bool) {
	id = x.ids[strings.ToLower(name)]
	return id, id != ""
}

// resolution collects what a mapping names and the account lacks.
type resolution struct {
	m              *mapping.Mapping
	agents         map[string]string
	groups, brands index
	problems       []mapping.Problem
}

func (r *resolution) wrong(path, text, fix string) {
	r.problems = append(r.problems, r.m.Problem(path, text, fix))
}

// words resolves the right sides of an attribute.
func (r *resolution) words(path string, w mapping.Words, find func(path, name string) string) words {
	out := words{values: make(map[string]string, len(w.Values))}
	for _, word := range slices.Sorted(maps.Keys(w.Values)) {
		out.values[word] = find(mapping.Path(path, "values", word), w.Values[word])
	}
	out.otherwise = find(mapping.Path(path, "otherwise"), w.Otherwise)
	out.standard = find(mapping.Path(path, "default"), w.Default)
	return out
}

func (r *resolution) group(path, name string) string { return r.named(path, "group", name, r.groups) }

func (r *resolution) brand(path, name string) string { return r.named(path, "brand", name, r.brands) }

func (r *resolution) named(path, what, name string, x index) string {
	if name == "" {
		return ""
	}
	id, ok := x.find(name)
	if _, several := x.ids[strings.ToLower(name)]; several && !ok {
		r.wrong(path, fmt.Sprintf("the account has several %ss %q", what, name), "write the id of the one you mean")
	} else if !ok {
		r.wrong(path, fmt.Sprintf("the account has no %s %q", what, name), mapping.DidYouMean(what+"s", name, x.names))
	}
	return id
}

// agent resolves an agent. Texts name none, since findings are kept where
// addresses do not belong.
func (r *resolution) agent(path, name string) string {
	if name != "" && r.agents[name] == "" {
		text := "no agent or admin of the account has this e-mail address"
		if isNumber(name) {
			text = "no agent or admin of the account has the id " + name
		}
		r.wrong(path, text, "write the address with which an agent signs in there; Farewell creates none, since agents cost seats")
	}
	return r.agents[name]
}

func (r *resolution) rule(path string, rule mapping.Rule) assignment {
	w := &rule.When
	a := assignment{
		group:    r.group(mapping.Path(path, "group"), rule.Group),
		assignee: r.agent(mapping.Path(path, "assignee"), rule.Assignee),
		brand:    r.brand(mapping.Path(path, "brand"), rule.Brand),
	}
	for _, c := range []struct {
		is mapping.List
		of func(t *migration.Ticket) string
	}{
		{w.Status, func(t *migration.Ticket) string { return t.Status }},
		{w.Priority, func(t *migration.Ticket) string { return t.Priority }},
		{w.Type, func(t *migration.Ticket) string { return t.Type }},
		{w.Channel, func(t *migration.Ticket) string { return t.Channel }},
		{w.Group, func(t *migration.Ticket) string { return t.Group }},
		{w.Assignee, func(t *migration.Ticket) string { return t.AssigneeID }},
		{w.Organization, func(t *migration.Ticket) string { return t.OrganizationID }},
	} {
		if len(c.is) > 0 {
			a.when = append(a.when, func(t *migration.Ticket, _ map[string]string) bool { return slices.Contains(c.is, c.of(t)) })
		}
	}
	if len(w.Tag) > 0 {
		a.when = append(a.when, func(t *migration.Ticket, _ map[string]string) bool {
			return slices.ContainsFunc(t.Tags, func(tag string) bool { return slices.Contains(w.Tag, tag) })
		})
	}
	for _, name := range slices.Sorted(maps.Keys(w.Field)) {
		a.when = append(a.when, func(_ *migration.Ticket, fields map[string]string) bool {
			return slices.Contains(w.Field[name], fields[name])
		})
	}
	return a
}

func (r *resolution) records(path, what string, of mapping.Records, have []accountField) recordRules {
	return recordRules{
		tags:   tagRules{values: of.Tags.Values, add: cleanTags(of.Tags.Add)},
		fields: r.fields(mapping.Path(path, "fields"), what, of.Fields, have, ""),
	}
}

// fields resolves where the fields of a kind of records go.
func (r *resolution) fields(path, what string, listed map[string]mapping.Field, have []accountField, keep mapping.Keep) fieldRules {
	out := fieldRules{listed: map[string]*fieldRule{}, own: map[string]*fieldRule{}, other: &fieldRule{note: keep == mapping.KeepNote}}
	for i := range have {
		if f := &have[i]; f.active() && !f.isSystem() {
			rule := newFieldRule(f)
			rule.note = keep == mapping.KeepNote
			out.own[f.address()] = rule
		}
	}
	taken := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(listed)) {
		rule := r.field(mapping.Path(path, name), what, listed[name], have)
		rule.note = firstOf(string(listed[name].Keep), string(keep)) == string(mapping.KeepNote)
		out.listed[name] = rule
		if rule.target == "" {
			continue
		}
		if other := taken[rule.target]; other != "" {
			r.wrong(mapping.Path(path, name, "to"), fmt.Sprintf("%q and %q go to the same %s", other, name, what), "give one of them another target")
		}
		taken[rule.target] = name
		if rule.standard != nil {
			out.absent = append(out.absent, rule)
		}
	}
	return out
}

func newFieldRule(f *accountField) *fieldRule {
	rule := &fieldRule{target: f.address(), kind: f.Type}
	if len(f.Options) > 0 {
		rule.known = make(map[string]string, 2*len(f.Options))
		for _, o := range f.Options {
			rule.known[strings.ToLower(strings.TrimSpace(o.Name))] = o.Value
		}
		for _, o := range f.Options { // a tag that is another option's name means itself
			rule.known[strings.ToLower(o.Value)] = o.Value
		}
	}
	return rule
}

func (r *resolution) field(path, what string, f mapping.Field, have []accountField) *fieldRule {
	if f.To == "" {
		return &fieldRule{}
	}
	found := r.find(mapping.Path(path, "to"), what, f.To, have)
	if found == nil {
		return &fieldRule{}
	}
	rule := newFieldRule(found)
	if rule.known == nil && (len(f.Options) > 0 || f.Otherwise != "") {
		r.wrong(mapping.Path(path, "options"), fmt.Sprintf("the %s %q is of type %s and has no options", what, found.Title, found.Type), "leave options and otherwise out")
		return rule
	}
	rule.options = make(map[string]string, len(f.Options))
	for _, value := range slices.Sorted(maps.Keys(f.Options)) {
		rule.options[value] = r.option(mapping.Path(path, "options", value), found, rule, f.Options[value])
	}
	rule.otherwise = r.option(mapping.Path(path, "otherwise"), found, rule, f.Otherwise)
	if f.Default != "" {
		var lost migration.Rule
		if rule.standard, lost = rule.value(appendString(nil, f.Default)); lost != "" {
			r.wrong(mapping.Path(path, "default"), fmt.Sprintf("%q does not fit the %s %q, which is of type %s", f.Default, what, found.Title, found.Type), r.optionsHint(found, f.Default))
		}
	}
	return rule
}

// option finds an option by its tag or its name.
func (r *resolution) option(path string, f *accountField, rule *fieldRule, name string) (tag string) {
	if name == "" {
		return ""
	}
	if tag = rule.known[strings.ToLower(strings.TrimSpace(name))]; tag == "" {
		r.wrong(path, fmt.Sprintf("the field %q has no option %q", f.Title, name), r.optionsHint(f, name))
	}
	return tag
}

func (r *resolution) optionsHint(f *accountField, name string) string {
	var tags []string
	for _, o := range f.Options {
		tags = append(tags, o.Value)
	}
	if len(tags) == 0 {
		return "write a value of that type"
	}
	return mapping.DidYouMean("options", name, tags)
}

// find looks a field up by id or key, else by title.
func (r *resolution) find(path, what, to string, have []accountField) *accountField {
	var titled []*accountField
	var titles []string
	for i := range have {
		f := &have[i]
		if f.address() == to {
			return r.usable(path, what, f)
		}
		if strings.EqualFold(f.Title, to) && !f.isSystem() {
			titled = append(titled, f)
		}
		if f.active() && !f.isSystem() {
			titles = append(titles, f.Title)
			if f.Key != "" || isNumber(to) {
				titles[len(titles)-1] = f.address()
			}
		}
	}
	switch len(titled) {
	case 1:
		return r.usable(path, what, titled[0])
	case 0:
		r.wrong(path, fmt.Sprintf("the account has no %s %q", what, to), mapping.DidYouMean(what+"s", to, titles))
	default:
		r.wrong(path, fmt.Sprintf("the account has %d %ss %q", len(titled), what, to), "write the id of the one you mean")
	}
	return nil
}

func (r *resolution) usable(path, what string, f *accountField) *accountField {
	switch {
	case f.isSystem():
		r.wrong(path, fmt.Sprintf("the %s %q is of type %s, which takes no values of custom fields", what, f.Title, f.Type), "map status, priority, type, group and assignee by entries of their own")
		return nil
	case !f.active():
		r.wrong(path, fmt.Sprintf("the %s %q is switched off in the account", what, f.Title), "activate it there, or leave it out here")
		return nil
	}
	return f
}
