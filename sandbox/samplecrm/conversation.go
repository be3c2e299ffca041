package samplecrm

import (
	"strconv"
	"strings"
)

const (
	second  = int64(1)
	minute  = 60 * second
	hour    = 60 * minute
	daySecs = 24 * hour
)

// conversation makes the rows of the k-th ticket.
func (t *tenant) conversation(b *batch, k int) {
	requester := t.requester()
	channel := pick(t.rng, []string{"mail", "mail", "mail", "livechat", "livechat", "facebook", "twitter"})
	no := t.number(k)
	opened := t.openedAt(k)
	last := t.messageRows(b, no, requester, channel, opened)
	progress := t.progress()
	touched, answered := last+t.rng.Int64N(daySecs), int64(0)
	if progress == "answered" || progress == "archived" {
		answered = last + t.rng.Int64N(touched-last+1)
	}

	r := b.conversations
	r.int(no)
	r.text(t.ID)
	r.int(requester.no)
	if channel == "mail" && t.in(10) {
		r.int(t.staffer().no)
	} else {
		r.null()
	}
	r.idOrNull(requester.companyOf(k))
	t.title(r, requester, channel)
	r.text(progress)
	if t.in(3) {
		r.null()
	} else {
		r.int(1 + t.rng.Int64N(4))
	}
	r.orNull(pick(t.rng, []string{"", "ask", "ask", "fault", "outage", "todo"}))
	r.text(channel)
	r.orNull(t.maybe(2, pick(t.rng, t.products)))
	r.idOrNull(t.rng.Int64N(2) * (10_000 + t.rng.Int64N(90_000)))
	r.time(opened)
	r.time(touched)
	r.time(answered)
	r.null()
	r.end()
	t.tagRows(b, k, no)
}

// requester is mostly a customer, now and then one of the staff.
func (t *tenant) requester() person {
	if t.staff == len(t.people) || t.in(50) {
		return t.staffer()
	}
	return t.people[t.staff+t.rng.IntN(len(t.people)-t.staff)]
}

// companyOf is the company that the k-th conversation is about, were it this
// person's: the first, or in turn one of the further ones.
func (p person) companyOf(k int) int64 {
	if n := len(p.also); n > 0 && k%2 == 1 {
		return p.also[k/2%n]
	}
	return p.company
}

func (t *tenant) staffer() person { return t.people[t.rng.IntN(t.staff)] }

// openedAt spreads the tickets over the years, in the order of their numbers
// but for a day or two.
func (t *tenant) openedAt(k int) int64 {
	from, to := day("2015-01-05"), day("2025-06-30")
	return from + (to-from)*int64(k)/int64(t.Tickets) + t.rng.Int64N(2*daySecs)
}

func (t *tenant) progress() string {
	return pick(t.rng, []string{
		"archived", "archived", "archived", "archived", "archived", "archived", "archived", "archived",
		"answered", "answered", "answered", "answered", "answered", "answered",
		"active", "active", "waiting", "waiting", "parked", "fresh",
	})
}

func (t *tenant) title(r *rows, requester person, channel string) {
	untitled := t.rng.IntN(4) // chats and posts often have no title
	switch {
	case channel != "mail" && untitled < 2:
		r.text("")
	case channel != "mail" && untitled == 2:
		r.null()
	case t.in(30):
		r.text(pick(t.rng, t.oddTitles))
	default:
		title := pick(t.rng, t.languages[requester.language].titles)
		r.text(strings.ReplaceAll(title, "%d", strconv.Itoa(10_000+t.rng.IntN(90_000))))
	}
}

func (t *tenant) tagRows(b *batch, k int, no int64) {
	tags := t.labels("billing", "shipping", "returns", "login", "praise", "bug-report", "2nd_level", "vip")
	if t.Poison && k == t.Tickets/2 {
		tags = append(append([]string(nil), tags...), PoisonTag)
	}
	for _, tag := range tags {
		b.tags.int(no)
		b.tags.text(tag)
		b.tags.end()
	}
}

// messageRows makes the conversation's messages, at least a second apart, and
// returns the time of the last.
func (t *tenant) messageRows(b *batch, conversation int64, requester person, channel string, at int64) int64 {
	n := 1 + t.rng.IntN(2*t.CommentsPerTicket-1)
	gap := min(2*daySecs, 100*daySecs/int64(n)) // even 3,000 messages end in time
	if channel == "livechat" {
		gap = min(gap, 5*minute)
	}
	staffer := t.staffer()
	for j := range n {
		if j > 0 {
			at += 1 + t.rng.Int64N(gap)
		}
		author, internal := requester, false
		if j > 0 && t.rng.IntN(5) < 3 {
			author, internal = staffer, t.in(6)
		}
		t.message(b, conversation, author, internal, channel, j, at)
	}
	return at
}

func (t *tenant) message(b *batch, conversation int64, author person, internal bool, channel string, j int, at int64) {
	no := t.number(int(t.messageNo))
	t.messageNo++
	r := b.messages
	r.int(no)
	r.text(t.ID)
	r.int(conversation)
	r.int(author.no)
	r.bool(internal)
	markup := t.content(r, no, author, channel, j)
	r.text(markup)
	r.time(at)
	r.end()
	if t.in(33) {
		t.file(b, conversation, no, at)
	}
}

// content writes the text of a message, with its number in most of them, so
// that a mix-up shows, and returns its markup.
func (t *tenant) content(r *rows, no int64, author person, channel string, j int) string {
	l := &t.languages[author.language]
	number := strconv.FormatInt(no, 10)
	switch {
	case t.in(40):
		r.text(pick(t.rng, t.odd))
	case channel == "mail" && t.in(700):
		r.text(pick(t.rng, t.long), `\n\n[`, number, "]")
	case channel == "mail" && t.in(2):
		r.text(pick(t.rng, l.htmls), `\n<p>[`, number, "]</p>")
		return "html"
	case channel == "mail":
		r.text(pick(t.rng, l.mails), `\n\n[`, number, "]")
	case channel != "livechat" && j == 0:
		r.text(pick(t.rng, l.posts), " [", number, "]")
	default:
		r.text(pick(t.rng, l.chats), " [", number, "]")
	}
	return "text"
}
