package zendesktest

import (
	"net/http"
	"slices"
	"strings"
)

// searchQuery is what is understood of a search: words with a keyword, and free words.
type searchQuery struct {
	kind       string
	tags       []string
	without    []string
	externalID string
	email      string
	status     string
	words      []string
	none       bool // a keyword that is not known finds nothing, so that no client believes in it
}

func parseQuery(text string) (s searchQuery) {
	for _, term := range splitTerms(text) {
		keyword, value, ok := strings.Cut(term, ":")
		value = strings.Trim(value, `"`)
		switch {
		case !ok:
			s.words = append(s.words, strings.ToLower(strings.Trim(term, `"`)))
		case keyword == "type":
			s.kind = value
		case keyword == "tags":
			s.tags = append(s.tags, strings.ToLower(value))
		case keyword == "-tags":
			s.without = append(s.without, strings.ToLower(value))
		case keyword == "external_id":
			s.externalID = value
		case keyword == "email":
			s.email = normalEmail(value)
		case keyword == "status":
			s.status = value
		default:
			s.none = true
		}
	}
	return s
}

// splitTerms splits at blanks outside quotes.
func splitTerms(text string) []string {
	quoted := false
	return strings.FieldsFunc(text, func(r rune) bool {
		if r == '"' {
			quoted = !quoted
		}
		return r == ' ' && !quoted
	})
}

func (s *searchQuery) matchesTicket(t *ticket) bool {
	switch {
	case s.none, s.email != "", s.kind != "" && s.kind != "ticket":
		return false
	case s.externalID != "" && t.externalID != s.externalID:
		return false
	case s.status != "" && statusNames[t.status] != s.status:
		return false
	case slices.ContainsFunc(s.tags, func(tag string) bool { return !t.hasTag(tag) }):
		return false
	case slices.ContainsFunc(s.without, t.hasTag):
		return false
	}
	return s.allWordsIn(t.subject, t.description)
}

func (s *searchQuery) matchesUser(u *user) bool {
	switch {
	case s.none, s.status != "", s.kind != "" && s.kind != "user":
		return false
	case s.externalID != "" && !strings.EqualFold(u.externalID, s.externalID):
		return false
	case s.email != "" && !slices.ContainsFunc(u.identities, func(id identity) bool { return id.kind == "email" && id.value == s.email }):
		return false
	case slices.ContainsFunc(s.tags, func(tag string) bool { return !slices.Contains(u.tags, tag) }):
		return false
	case slices.ContainsFunc(s.without, func(tag string) bool { return slices.Contains(u.tags, tag) }):
		return false
	}
	return s.allWordsIn(u.name, u.email())
}

func (s *searchQuery) matchesOrganization(o *organization) bool {
	switch {
	case s.none, s.status != "", s.email != "", s.kind != "" && s.kind != "organization":
		return false
	case s.externalID != "" && !strings.EqualFold(o.externalID, s.externalID):
		return false
	case slices.ContainsFunc(s.tags, func(tag string) bool { return !slices.Contains(o.tags, tag) }):
		return false
	}
	return s.allWordsIn(o.name)
}

func (s *searchQuery) allWordsIn(texts ...string) bool {
	if len(s.words) == 0 {
		return true
	}
	all := strings.ToLower(strings.Join(texts, " "))
	return !slices.ContainsFunc(s.words, func(word string) bool { return !strings.Contains(all, word) })
}

// indexed is up to when records have reached the search index.
func (a *account) indexed(now int64) int64 {
	return now - a.settings.scaled(a.settings.IndexLagSeconds)
}

// hit is one record that a search found.
type hit func(e *encoder)

// find lists what the index knows of a query: tickets, then users, then organizations. Archived tickets are in it.
func (a *account) find(query searchQuery, now int64) []hit {
	indexed := a.indexed(now)
	var hits []hit
	add := func(kind string, members func(*encoder)) {
		hits = append(hits, func(e *encoder) {
			e.begin('{')
			members(e)
			e.member("result_type", kind)
			e.end('}')
		})
	}
	for _, t := range a.tickets.byID {
		if t != nil && !t.deleted && t.imported <= indexed && query.matchesTicket(t) {
			add("ticket", func(e *encoder) { a.ticketMembers(e, t) })
		}
	}
	for _, u := range a.users.all {
		if !u.inactive && u.imported <= indexed && query.matchesUser(u) {
			add("user", func(e *encoder) { a.userMembers(e, u) })
		}
	}
	for _, o := range a.organizations.all {
		if o != nil && o.imported <= indexed && query.matchesOrganization(o) {
			add("organization", func(e *encoder) { a.organizationMembers(e, o) })
		}
	}
	return hits
}

// maxSearchResults is how many results a search shows at most.
const maxSearchResults = 1000

// search is GET /api/v2/search?query=: pages by offset, up to 1,000 results.
func search(a *account, q *request) answer {
	page, pageOK := number(q.query.Get("page"), 1)
	size, sizeOK := number(q.query.Get("per_page"), 100)
	if !pageOK || !sizeOK || page < 1 || size < 1 {
		return invalidAttribute("page", "be a positive integer")
	}
	size = min(size, 100)
	if (page-1)*size >= maxSearchResults {
		return jsonAnswer(http.StatusUnprocessableEntity, errorBody("invalid", "Invalid search: Requested response size was greater than Search Response Limits"))
	}
	hits := a.find(parseQuery(q.query.Get("query")), q.now)
	from := min(len(hits), (page-1)*size)
	to := min(len(hits), from+size, maxSearchResults)
	e := newEncoder()
	e.begin('{')
	e.key("results")
	e.begin('[')
	for _, show := range hits[from:to] {
		show(e)
	}
	e.end(']')
	e.null("facets")
	q.offsetLinks(e, page, to < len(hits), len(hits))
	e.end('}')
	return encoded(http.StatusOK, e)
}

// countSearch is GET /api/v2/search/count?query=.
func countSearch(a *account, q *request) answer {
	return jsonAnswer(http.StatusOK, `{"count":`+itoa(int64(len(a.find(parseQuery(q.query.Get("query")), q.now))))+`}`)
}

// exportSearch is GET /api/v2/search/export?query=&filter[type]=: by cursor, without the cap.
func exportSearch(a *account, q *request) answer {
	query := parseQuery(q.query.Get("query"))
	if query.kind = q.query.Get("filter[type]"); query.kind == "" {
		return jsonAnswer(http.StatusUnprocessableEntity, errorBody("invalid", "filter[type] is required"))
	}
	hits := a.find(query, q.now)
	return cursorPage(q, "results", len(hits), pageOf[int]{
		at:   func(i int) int { return i },
		less: func(x, y int) bool { return x < y },
		show: func(e *encoder, i int) { hits[i](e) },
		most: 1000,
	})
}
