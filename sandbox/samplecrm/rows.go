package samplecrm

import (
	"strconv"
	"time"
)

// rows are lines of COPY's text format for one table.
type rows struct {
	table string
	bytes []byte
	begun bool // a cell of the current line is there
}

func (r *rows) sep() {
	if r.begun {
		r.bytes = append(r.bytes, '\t')
	}
	r.begun = true
}

// text takes an escaped text.
func (r *rows) text(escaped ...string) {
	r.sep()
	for _, s := range escaped {
		r.bytes = append(r.bytes, s...)
	}
}

func (r *rows) null() { r.text(`\N`) }

// orNull takes an escaped text, empty for NULL.
func (r *rows) orNull(escaped string) {
	if escaped == "" {
		r.null()
		return
	}
	r.text(escaped)
}

func (r *rows) int(n int64) {
	r.sep()
	r.bytes = strconv.AppendInt(r.bytes, n, 10)
}

// idOrNull takes 0 for NULL.
func (r *rows) idOrNull(n int64) {
	if n == 0 {
		r.null()
		return
	}
	r.int(n)
}

func (r *rows) bool(b bool) {
	if b {
		r.text("t")
		return
	}
	r.text("f")
}

// time takes seconds of Unix time, 0 for NULL.
func (r *rows) time(unix int64) {
	if unix == 0 {
		r.null()
		return
	}
	r.sep()
	r.bytes = time.Unix(unix, 0).UTC().AppendFormat(r.bytes, "2006-01-02 15:04:05Z")
}

// tags takes words that need no quotes in an array.
func (r *rows) tags(tags []string) {
	r.sep()
	r.bytes = append(r.bytes, '{')
	for i, t := range tags {
		if i > 0 {
			r.bytes = append(r.bytes, ',')
		}
		r.bytes = append(r.bytes, t...)
	}
	r.bytes = append(r.bytes, '}')
}

// ids takes the numbers of an array, none for NULL.
func (r *rows) ids(numbers []int64) {
	if len(numbers) == 0 {
		r.null()
		return
	}
	words := make([]string, len(numbers))
	for i, n := range numbers {
		words[i] = strconv.FormatInt(n, 10)
	}
	r.tags(words)
}

func (r *rows) end() {
	r.bytes = append(r.bytes, '\n')
	r.begun = false
}
