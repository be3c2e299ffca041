package corpus

import "farewell/integration/roundtrip/judge"

// Impossible is what Postgres does not hold, or shows to nobody who reads it as
// UTF-8: NUL, and bytes that are no text. A source of another kind may.
func Impossible(first int) []judge.Ticket {
	m := &maker{Size: Size{First: first}}
	for _, body := range []string{
		"a\x00b", "\x00", "bytes \xff\xfe\x80 that are no text", "cut \xe6\xbc", "over\xc0\xaflong", "half a pair \xed\xa0\x80", "\xf4\x90\x80\x80 beyond Unicode",
	} {
		t := m.ticket(body, body)
		t.Tags = []string{body}
		m.say(t, "<p>"+body+"</p>").HTML = true
	}
	t := m.ticket("a comment without a time among others", "x", "y", "z")
	t.Comments[1].Created = nil
	return m.tickets
}
