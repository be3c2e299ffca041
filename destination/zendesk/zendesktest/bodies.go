package zendesktest

import (
	"strings"
)

// maxBatch is how many records one bulk request may hold.
const maxBatch = 100

// batch reads {"<name>":[...]}, calling each for every element.
func (q *request) batch(name string, each func(*decoder)) (refused *answer) {
	found, n := false, 0
	refused = q.object(func(d *decoder, key string) bool {
		if key != name || d.peek() != '[' {
			return false
		}
		found = true
		for range d.array() {
			n++
			if n > maxBatch || d.peek() != '{' {
				d.raw()
				continue
			}
			each(d)
		}
		return true
	})
	switch {
	case refused != nil:
		return refused
	case !found || n == 0:
		reply := invalidAttribute(name, "be an array with at least one element")
		return &reply
	case n > maxBatch:
		reply := tooManyValues()
		return &reply
	}
	return nil
}

// single reads {"<name>":{...}}.
func (q *request) single(name string, read func(*decoder)) (refused *answer) {
	found := false
	refused = q.object(func(d *decoder, key string) bool {
		if key != name || d.peek() != '{' {
			return false
		}
		found = true
		read(d)
		return true
	})
	if refused == nil && !found {
		reply := invalidAttribute(name, "be an object")
		return &reply
	}
	return refused
}

// object reads a JSON body that is an object. Members that read leaves alone are skipped.
func (q *request) object(read func(d *decoder, key string) bool) (refused *answer) {
	if q.mime != "" && !strings.Contains(q.mime, "json") {
		reply := jsonAnswer(415, errorBody("UnsupportedMediaType", "Content-Type must be application/json"))
		return &reply
	}
	keep := arenas.Get().(*arena)
	defer arenas.Put(keep)
	d := newDecoder(q.body, keep)
	for key := range d.object() {
		if !read(d, key) {
			q.drop(key)
			d.raw()
		}
	}
	if d.end() != nil {
		reply := malformedJSON()
		return &reply
	}
	return nil
}
