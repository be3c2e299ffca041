package zendesktest

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"
)

// pageOf is a sorted list of which a page is shown. K is what a cursor remembers of the last entry that was shown, so
// that pages stay right while entries come and go.
type pageOf[K any] struct {
	at   func(i int) K
	less func(x, y K) bool // whether x comes before y
	show func(e *encoder, i int)
	most int // the largest page[size], 0 is 100
}

// cursorPage answers with {"<name>":[...],"meta":{...},"links":{...}}.
func cursorPage[K any](q *request, name string, n int, p pageOf[K]) answer {
	most := p.most
	if most == 0 {
		most = maxBatch
	}
	size, ok := number(q.query.Get("page[size]"), min(most, 100))
	if !ok || size < 1 {
		return invalidAttribute("page[size]", "be a positive integer")
	}
	size = min(size, most)
	from := 0
	if cursor := q.query.Get("page[after]"); cursor != "" {
		var last K
		if !decodeCursor(cursor, &last) {
			return jsonAnswer(http.StatusBadRequest, errorList("InvalidCursor", "400", "The cursor is invalid"))
		}
		from = sort.Search(n, func(i int) bool { return p.less(last, p.at(i)) })
	}
	to := min(n, from+size)
	e := newEncoder()
	e.begin('{')
	e.key(name)
	e.begin('[')
	for i := from; i < to; i++ {
		p.show(e, i)
	}
	e.end(']')
	after := ""
	if to > from {
		after = encodeCursor(p.at(to - 1))
	}
	q.cursorLinks(e, after, to < n)
	e.end('}')
	return encoded(http.StatusOK, e)
}

func (q *request) cursorLinks(e *encoder, after string, more bool) {
	e.key("meta")
	e.begin('{')
	e.flag("has_more", more)
	e.optional("after_cursor", after)
	e.null("before_cursor")
	e.end('}')
	e.key("links")
	e.begin('{')
	if more {
		e.member("next", q.again("page[after]", after))
	} else {
		e.null("next")
	}
	e.null("prev")
	e.end('}')
}

// again is this request's URL with another value of one parameter.
func (q *request) again(name, value string) string {
	next := url.Values{}
	for k, v := range q.query {
		next[k] = v
	}
	next.Set(name, value)
	path := strings.TrimPrefix(q.route.name[strings.IndexByte(q.route.name, ' ')+1:], "/api/v2/")
	return q.link(strings.Replace(path, "{id}", q.id, 1)+".json", next)
}

func encodeCursor(key any) string {
	return base64.URLEncoding.EncodeToString([]byte(mustMarshal(key)))
}

func decodeCursor(cursor string, key any) bool {
	raw, err := base64.URLEncoding.DecodeString(cursor)
	return err == nil && json.Unmarshal(raw, key) == nil
}

// maxOffsetRecords is how far offset paging reaches.
const maxOffsetRecords = 10_000

// list shows a page of a list that only grows: by cursor when the request asks for one, otherwise by offset.
func list(q *request, name string, n int, show func(e *encoder, i int)) answer {
	if q.query.Has("page[size]") || q.query.Has("page[after]") {
		return cursorPage(q, name, n, pageOf[int]{
			at:   func(i int) int { return i },
			less: func(x, y int) bool { return x < y },
			show: show,
		})
	}
	page, pageOK := number(q.query.Get("page"), 1)
	size, sizeOK := number(q.query.Get("per_page"), 100)
	if !pageOK || !sizeOK || page < 1 || size < 1 {
		return invalidAttribute("page", "be a positive integer")
	}
	size = min(size, 100)
	if page*size > maxOffsetRecords {
		return jsonAnswer(http.StatusBadRequest, errorList("InvalidPaginationDepth", "400", "Offset pagination is limited to 10000 records: use cursor pagination"))
	}
	from := min(n, (page-1)*size)
	to := min(n, from+size)
	e := newEncoder()
	e.begin('{')
	e.key(name)
	e.begin('[')
	for i := from; i < to; i++ {
		show(e, i)
	}
	e.end(']')
	q.offsetLinks(e, page, to < n, n)
	e.end('}')
	return encoded(http.StatusOK, e)
}

func (q *request) offsetLinks(e *encoder, page int, more bool, count int) {
	e.key("next_page")
	if more {
		e.text(q.again("page", strconv.Itoa(page+1)))
	} else {
		e.raw("null")
	}
	e.key("previous_page")
	if page > 1 {
		e.text(q.again("page", strconv.Itoa(page-1)))
	} else {
		e.raw("null")
	}
	e.number("count", int64(count))
}

// number reads a parameter, which may be missing.
func number(value string, standard int) (n int, ok bool) {
	if value == "" {
		return standard, true
	}
	n, err := strconv.Atoi(value)
	return n, err == nil
}

// idList reads ids=1,2,3; refused is set when there are more than 100 or one is no number.
func (q *request) idList(name string) (ids []int64, refused *answer) {
	value := q.query.Get(name)
	if value == "" {
		return nil, nil
	}
	words := strings.Split(value, ",")
	if len(words) > maxBatch {
		reply := tooManyValues()
		return nil, &reply
	}
	for _, word := range words {
		id, err := strconv.ParseInt(strings.TrimSpace(word), 10, 64)
		if err != nil {
			reply := invalidAttribute(name, "be a list of integers")
			return nil, &reply
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// wordList reads external_ids=a,b,c; refused is set when there are more than 100.
func (q *request) wordList(name string) (words []string, refused *answer) {
	value := q.query.Get(name)
	if value == "" {
		return nil, nil
	}
	words = strings.Split(value, ",")
	if len(words) > maxBatch {
		reply := tooManyValues()
		return nil, &reply
	}
	return words, nil
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

func atoi(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0 // no record has the id 0
	}
	return n
}
