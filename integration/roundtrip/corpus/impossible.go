package corpus

import "farewell/integration/roundtrip/judge"

// Impossible is what Postgres does not hold, or the sample's tables do not: a
// source of another kind may.
func Impossible(first int) []judge.Ticket {
	m := &maker{Size: Size{First: first}}
	for _, body := range []string{
		"a\x00b", "\x00", "bytes \xff\xfe\x80 that are no text", "cut \xe6\xbc", "over\xc0\xaflong", "half a pair \xed\xa0\x80", "\xf4\x90\x80\x80 beyond Unicode",
	} {
		t := m.ticket(body, body)
		t.Tags = []string{body}
		m.say(t, "<p>"+body+"</p>").HTML = true
	}
	t := m.ticket("no times", "x", "y", "z")
	t.Created, t.Updated, t.Solved = nil, nil, nil
	t.Comments[1].Created = nil
	t = m.ticket("no times at all", "x", "y")
	t.Created, t.Updated, t.Comments[0].Created, t.Comments[1].Created = nil, nil, nil, nil
	m.ticket("no update", "x", "y").Updated = nil
	m.ticket("no status", "x").Status = ""
	return m.tickets
}
