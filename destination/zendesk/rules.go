package zendesk

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// The rules: what is done to a value that Zendesk would cut, refuse or show
// otherwise. Each takes the value of the source and gives what is sent, from
// nothing else, so that anybody can apply it again; those about times, which
// depend on each other, are in times.go. docs/fidelity.md tells them with their
// sources. Whoever applies one records it: see draft.text.

const (
	// nameLimit is the longest name of a user or organization and the longest
	// subject, in characters: beyond it Zendesk cuts or refuses.
	nameLimit = 255
	// bodyLimit is the most bytes of a comment: Zendesk's own people name about
	// 65,000 characters, dependent on the encoding.
	bodyLimit = 65_000
	// commentLimit is the most comments of a ticket
	// (https://developer.zendesk.com/api-reference/ticketing/tickets/tickets/).
	commentLimit = 5_000
	// ccLimit is the most CCs of a ticket
	// (https://developer.zendesk.com/api-reference/ticketing/tickets/tickets/).
	ccLimit = 48
	// noText stands for a body that is blank, which Zendesk refuses.
	noText = "(no text)"
	// noMessages is the only comment of a ticket without any.
	noMessages = "(no messages)"
	// wholeSubject goes before a subject that had to be cut, in the comment
	// that keeps it.
	wholeSubject = "Subject: "
)

// cleanText puts U+FFFD for each byte that is no text and for NUL, which no
// JSON reader has to take. All other control characters stay.
func cleanText(s string) string {
	if isClean(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + len(s)/2)
	for _, r := range s { // a wrong byte is read as U+FFFD
		if r == 0 {
			r = utf8.RuneError
		}
		b.WriteRune(r)
	}
	return b.String()
}

func isClean(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

// cutSubject cuts after 255 characters. The whole of it goes into a private
// comment at the ticket's end.
func cutSubject(subject string) string { return cutRunes(subject, nameLimit) }

func cutRunes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	runes := 0
	for i := range s {
		if runes == n {
			return s[:i]
		}
		runes++
	}
	return s
}

func isBlank(s string) bool { return strings.TrimSpace(s) == "" }

// fillBlank puts a word where nothing is to be read.
func fillBlank(body string) string {
	if isBlank(body) {
		return noText
	}
	return body
}

// splitBody cuts a text into pieces of at most 65,000 bytes which together are
// the whole text. A piece may be blank.
func splitBody(body string, html bool) []string {
	var pieces []string
	for len(body) > bodyLimit {
		n := cutAt(body[:bodyLimit], html)
		pieces = append(pieces, body[:n])
		body = body[n:]
	}
	return append(pieces, body)
}

// cutAt finds where to cut: after a tag or a line, then after a blank, in the
// last half; else between two characters.
func cutAt(s string, html bool) int {
	half := len(s) / 2
	marks := []string{"\n", " "}
	if html {
		marks = []string{">", " "}
	}
	for _, mark := range marks {
		if i := strings.LastIndex(s, mark); i >= half {
			return i + len(mark)
		}
	}
	n := len(s)
	for n > 1 {
		if r, size := utf8.DecodeLastRuneInString(s[:n]); r != utf8.RuneError || size != 1 {
			return n
		}
		n--
	}
	return len(s)
}

// cleanTag makes a word a tag: lower case, without blanks around it, and "_"
// for blanks within, which separate tags in Zendesk, for commas and for control
// characters. Nothing is left of a blank one.
func cleanTag(word string) string {
	word = strings.ToLower(strings.TrimSpace(cleanText(word)))
	if !strings.ContainsFunc(word, notInTag) {
		return word
	}
	return strings.Map(func(r rune) rune {
		if notInTag(r) {
			return '_'
		}
		return r
	}, word)
}

func notInTag(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || r == ',' }
