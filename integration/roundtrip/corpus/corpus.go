package corpus

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"farewell/integration/roundtrip/judge"
)

// Size is how much of a corpus is made.
type Size struct {
	Step  int // every so-manieth character of Unicode
	Big   bool
	Long  int // comments of the longest tickets beyond the 5,000; negative: none
	First int // number of the first ticket, comment and so on: those of the sample are lower
}

// Persons are the people of the corpus, by number from First. Whoever is
// beyond, nobody knows.
const Persons = 60

// Organizations likewise.
const Organizations = 3

// maker numbers what it makes.
type maker struct {
	Size
	tickets  []judge.Ticket
	comments int
}

// Tickets makes the corpus: the same each time.
func Tickets(s Size) []judge.Ticket {
	m := &maker{Size: s}
	m.bodies()
	m.subjects()
	m.tags()
	m.times()
	m.people()
	m.copies()
	m.conversations()
	return m.tickets
}

func (m *maker) id(n int) string { return strconv.Itoa(m.First + n) }

// person is the n-th of those whom the account has; from Persons on, nobody.
func (m *maker) person(n int) string { return m.id(n) }

var noon = time.Date(2021, 3, 4, 12, 0, 0, 0, time.UTC).Unix()

func at(unix int64) *int64 { return &unix }

// ticket adds a plain ticket for a case to change.
func (m *maker) ticket(subject string, bodies ...string) *judge.Ticket {
	n := len(m.tickets)
	t := judge.Ticket{
		ID: m.id(n), Subject: subject, Status: "solved", Priority: "normal", Type: "question", Channel: "email",
		Requester: m.person(n % Persons), Tags: []string{"corpus"}, Fields: map[string]string{},
		Created: at(noon), Updated: at(noon + 86_400), Solved: at(noon + 3600),
	}
	m.tickets = append(m.tickets, t)
	added := &m.tickets[n]
	for _, body := range bodies {
		m.say(added, body)
	}
	return added
}

// say adds a comment, a minute after the one before.
func (m *maker) say(t *judge.Ticket, body string) *judge.Comment {
	t.Comments = append(t.Comments, judge.Comment{
		ID: m.id(m.comments), Author: t.Requester, Public: true, Body: body, Created: at(*t.Created + 60*int64(len(t.Comments))),
	})
	m.comments++
	return &t.Comments[len(t.Comments)-1]
}

// bodies says each text as plain text, as HTML and as HTML in a paragraph.
func (m *maker) bodies() {
	texts := append(append(odd(), controls()...), planes(m.Step, 30_000)...)
	if m.Big {
		texts = append(texts, big()...)
	}
	for _, text := range texts {
		t := m.ticket(text.Name, text.Body)
		m.say(t, text.Body).HTML = true
		m.say(t, "<p>"+text.Body+"</p>").HTML = true
		m.say(t, "the end").Public = false
		t.Fields["360500000001"] = "value " + text.Name
	}
	for _, text := range odd() {
		m.ticket("as a field", "x").Fields["360500000001"] = text.Body
	}
}

func (m *maker) subjects() {
	for _, text := range append(odd(), controls()...) {
		m.ticket(text.Body, text.Name)
	}
	for _, n := range []int{254, 255, 256, 300, 1000, 64_990, 65_000, 70_000} {
		for _, letter := range []string{"x", "é", "漢", "😀", "x "} {
			m.ticket(strings.Repeat(letter, n/len([]rune(letter)))+strings.Repeat("y", n%len([]rune(letter))), "a subject of "+strconv.Itoa(n))
		}
	}
}

func (m *maker) tags() {
	for _, text := range append(odd(), controls()...) {
		m.ticket("tagged", text.Name).Tags = []string{text.Body}
	}
	for _, tags := range [][]string{
		{"VIP", "vip", "Vip"}, {"two words", "two_words"}, {" around "}, {"a,b", "c, d"}, {"", " ", "\u3000"}, {"İstanbul", "ISTANBUL", "ıstanbul"},
		{"ẞ", "ß", "SS"}, {"Ünïcode", "日本語", "😀"}, {"a\tb\nc"}, {"farewell"}, {"z", "a", "m"}, {strings.Repeat("t", 300)}, {"Σίσυφος", "ΣΊΣΥΦΟΣ"}, nil,
	} {
		m.ticket("many tags", "x").Tags = tags
	}
}

func (m *maker) times() {
	moments := map[string]int64{
		"1900": -2_208_988_800, "1969": -1, "1970": 0, "1970 and a second": 1, "2038": 2_147_483_648, "2100": 4_102_444_800, "9999": 253_402_300_799, "0001": -62_135_596_800,
	}
	for _, name := range []string{"0001", "1900", "1969", "1970", "1970 and a second", "2038", "2100", "9999"} {
		moment := moments[name]
		for _, change := range []struct {
			what string
			to   func(t *judge.Ticket)
		}{
			{"the ticket", func(t *judge.Ticket) { t.Created = at(moment) }},
			{"its update", func(t *judge.Ticket) { t.Updated = at(moment) }},
			{"its solution", func(t *judge.Ticket) { t.Solved = at(moment) }},
			{"its first comment", func(t *judge.Ticket) { t.Comments[0].Created = at(moment) }},
			{"its last comment", func(t *judge.Ticket) { t.Comments[2].Created = at(moment) }},
			{"everything", func(t *judge.Ticket) {
				t.Created, t.Updated, t.Solved = at(moment), at(moment), at(moment)
				for i := range t.Comments {
					t.Comments[i].Created = at(moment)
				}
			}},
		} {
			t := m.ticket(name+": "+change.what, "one", "two", "three")
			change.to(t)
			m.sort(t)
		}
	}
	for _, offsets := range [][]int64{{0, 0, 0, 0}, {5, 5, 6, 6, 6, 7}, {-100, -50, 10}, {0, 1, 1, 2}, {86_400, 3, 2, 1}, {-1, 0, 1}} {
		t := m.ticket(fmt.Sprint("times apart ", offsets))
		for _, offset := range offsets {
			m.say(t, fmt.Sprint("at ", offset)).Created = at(noon + offset)
		}
		m.sort(t)
	}
	t := m.ticket("updated before it was created", "x")
	t.Updated = at(noon - 1000)
	t = m.ticket("solved before it was created", "x")
	t.Solved = at(noon - 1000)
	t = m.ticket("never solved", "x")
	t.Solved, t.Status = nil, "open"
	t = m.ticket("no times", "x", "y", "z")
	t.Created, t.Updated, t.Solved = nil, nil, nil
	t.Comments[2].Created = nil
	t = m.ticket("no times at all", "x", "y")
	t.Created, t.Updated, t.Comments[0].Created, t.Comments[1].Created = nil, nil, nil, nil
	m.ticket("no update", "x", "y").Updated = nil
	m.ticket("no status", "x").Status = ""
}

// sort puts the comments in the order of a source: by time, then id, which are
// given in order.
func (m *maker) sort(t *judge.Ticket) {
	for i := range t.Comments {
		for j := i; j > 0 && *t.Comments[j-1].Created > *t.Comments[j].Created; j-- {
			t.Comments[j-1], t.Comments[j] = t.Comments[j], t.Comments[j-1]
		}
	}
}

func (m *maker) people() {
	nobody := m.person(Persons + 7)
	m.ticket("unknown requester", "x", "y").Requester = nobody
	t := m.ticket("unknown requester, known author", "x", "y")
	t.Requester = nobody
	t = m.ticket("unknown submitter", "x")
	t.Submitter = nobody
	t = m.ticket("another submitter", "x")
	t.Submitter = m.person(3)
	t = m.ticket("unknown author", "x", "y", "z")
	t.Comments[0].Author, t.Comments[1].Author = nobody, ""
	t = m.ticket("nobody is known", "x", "y")
	t.Requester, t.Submitter, t.Comments[0].Author, t.Comments[1].Author = nobody, nobody, nobody, ""
	t = m.ticket("an organization that is the requester's", "x")
	t.Requester, t.Organization = m.person(1), m.id(1) // see Home
	t = m.ticket("no organization, and the requester has one", "x")
	t.Requester = m.person(1)
	t = m.ticket("unknown organization", "x")
	t.Organization = m.id(Organizations + 5)
	t = m.ticket("unknown organization of a requester with one", "x")
	t.Requester, t.Organization = m.person(1), m.id(Organizations+5)
	t = m.ticket("organization of an unknown requester", "x")
	t.Requester, t.Organization = nobody, m.id(1)
}

// Home is the place of a person's organization; 0: none.
func Home(person int) int {
	if person%Organizations == 1 {
		return 1
	}
	return 0
}

func (m *maker) copies() {
	for _, n := range []int{1, 47, 48, 49, 58} {
		t := m.ticket(fmt.Sprint(n, " CCs"), "x")
		for i := range n {
			t.CCs = append(t.CCs, m.person(i))
		}
	}
	t := m.ticket("unknown CCs", "x")
	t.CCs = []string{m.person(1), m.person(Persons + 7), m.person(1), m.person(2)}
}

func (m *maker) conversations() {
	m.ticket("no comments at all")
	m.ticket(strings.Repeat("no comments and a long subject ", 20))
	t := m.ticket("no status words")
	t.Priority, t.Type, t.Channel = "", "", "chat"
	m.say(t, "x")
	if m.Long < 0 {
		return
	}
	for _, n := range []int{5000, 5001, 5000 + m.Long} {
		t := m.ticket(fmt.Sprint(n, " comments"))
		t.Solved, t.Status, t.Updated = nil, "open", at(noon+10_000_000)
		for i := range n {
			m.say(t, fmt.Sprint("chapter ", i)).Public = i%7 != 0
		}
	}
	t = m.ticket(strings.Repeat("5,000 comments and a long subject ", 20))
	for i := range 5000 {
		m.say(t, fmt.Sprint("chapter ", i))
	}
	t = m.ticket("the last comment is cut")
	for i := range 4999 {
		m.say(t, fmt.Sprint("chapter ", i))
	}
	m.say(t, strings.Repeat("the end is long ", 10_000))
}
