package samplecrm

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/brianvoe/gofakeit/v7"
)

// texts are the pools that rows pick from. They are built once, already
// escaped for COPY: making every text anew would take longer than loading it.
type texts struct {
	languages []languageTexts
	wheel     []int // index of a language, as often as its weight
	odd       []string
	oddTitles []string
	long      []string
	companies []string // unescaped
	products  []string
	abouts    []string
}

type languageTexts struct {
	language
	mails, htmls, chats, posts []string
	titles                     []string // escaped, with %d or without
	signed                     []string // closings, escaped
}

const (
	textsPerPool   = 160
	maxBodyBytes   = 60_000
	maxPostLetters = 240
)

func newTexts(seed uint64) *texts {
	source := rand.NewPCG(seed, 0x7e87) // any constant: the pools' own stream of the seed
	rng, fake := rand.New(source), gofakeit.NewFaker(source, false)
	t := &texts{}
	for i, l := range languages() {
		if l.code == "en-US" {
			for range 60 {
				l.sentences = append(l.sentences, fake.HackerPhrase(), fake.HipsterSentence())
			}
		}
		t.languages = append(t.languages, newLanguageTexts(rng, l))
		for range l.weight {
			t.wheel = append(t.wheel, i)
		}
	}
	t.odd = escapeAll(oddBodies())
	t.oddTitles = escapeAll(oddSubjects())
	for i := range 6 {
		t.long = append(t.long, escape(longBody(rng, t.languages[i].language, 20_000+i*7_500)))
	}
	t.companies = distinct(400, fake.Company)
	t.products = escapeAll(distinct(60, fake.ProductName))
	t.abouts = escapeAll(distinct(60, fake.Slogan))
	return t
}

// distinct collects n different values, ignoring case; fewer when the maker
// runs dry.
func distinct(n int, next func() string) []string {
	seen, list := map[string]bool{}, []string(nil)
	for tries := 0; len(list) < n && tries < 20*n; tries++ {
		v := strings.TrimSpace(next())
		if k := strings.ToLower(v); v != "" && !seen[k] {
			seen[k] = true
			list = append(list, v)
		}
	}
	return list
}

func newLanguageTexts(rng *rand.Rand, l language) languageTexts {
	t := languageTexts{language: l, titles: escapeAll(l.subjects), signed: escapeAll(l.closings)}
	for range textsPerPool {
		t.mails = append(t.mails, escape(mail(rng, l)))
		t.htmls = append(t.htmls, escape(html(rng, l)))
		t.chats = append(t.chats, escape(chat(rng, l)))
		t.posts = append(t.posts, escape(post(rng, l)))
	}
	return t
}

func pick[T any](rng *rand.Rand, list []T) T { return list[rng.IntN(len(list))] }

func some(rng *rand.Rand, l language, least, most int) []string {
	list := make([]string, least+rng.IntN(most-least+1))
	for i := range list {
		list[i] = pick(rng, l.sentences)
	}
	return list
}

// mail is a plain message whose lines end in LF or, in one of three, CRLF.
func mail(rng *rand.Rand, l language) string {
	body := pick(rng, l.greetings) + "\n\n" + strings.Join(some(rng, l, 1, 4), " ")
	if rng.IntN(3) == 0 {
		body += "\n\n> " + strings.Join(some(rng, l, 1, 2), "\n> ")
	}
	body += "\n\n" + pick(rng, l.closings)
	if rng.IntN(3) == 0 {
		return strings.ReplaceAll(body, "\n", "\r\n")
	}
	return body
}

func html(rng *rand.Rand, l language) string {
	safe := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	body := "<p>" + safe.Replace(pick(rng, l.greetings)) + "</p>"
	for _, s := range some(rng, l, 1, 3) {
		body += "\n<p>" + safe.Replace(s) + "</p>"
	}
	switch rng.IntN(4) {
	case 0:
		body += fmt.Sprintf("\n<ul><li><strong>%s</strong></li><li>%s<br>%s</li></ul>",
			safe.Replace(pick(rng, l.closings)), safe.Replace(pick(rng, l.sentences)), safe.Replace(pick(rng, l.sentences)))
	case 1:
		body += "\n<p><a href=\"https://example.com/orders?id=1&amp;lang=" + l.code + "\">https://example.com</a></p>"
	case 2:
		body += "\n<blockquote>" + safe.Replace(pick(rng, l.sentences)) + "</blockquote>"
	}
	return body
}

func chat(rng *rand.Rand, l language) string {
	emoji := []string{"", "", "", " 🙂", " 🙏", " 😡", " 👍🏼", " ❤️"}
	return pick(rng, l.sentences) + pick(rng, emoji)
}

func post(rng *rand.Rand, l language) string {
	letters := []rune("@help " + pick(rng, l.sentences) + " " + pick(rng, []string{"#fail", "#support", "#wartezeit", "😤", "https://example.com/t"}))
	return strings.TrimSpace(string(letters[:min(len(letters), maxPostLetters)]))
}

// longBody repeats mails until it has the size in bytes.
func longBody(rng *rand.Rand, l language, size int) string {
	var b strings.Builder
	for b.Len() < size {
		b.WriteString(mail(rng, l))
		b.WriteString("\n\n---\n\n")
	}
	cut := b.String()
	if len(cut) > maxBodyBytes-1_000 {
		cut = strings.ToValidUTF8(cut[:maxBodyBytes-1_000], "")
	}
	return strings.TrimSpace(cut)
}

// escape writes a text as COPY's text format wants it
// (https://www.postgresql.org/docs/current/sql-copy.html).
func escape(s string) string {
	return strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(s)
}

func escapeAll(list []string) []string {
	escaped := make([]string, len(list))
	for i, s := range list {
		escaped[i] = escape(s)
	}
	return escaped
}
