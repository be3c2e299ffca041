package samplecrm

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// tenant makes the rows of one customer. All that it draws comes from the seed
// and the customer's id, so that a customer's rows do not depend on the others
// beside it, but for their numbers.
type tenant struct {
	CustomerSpec
	*texts
	rng    *rand.Rand
	index  int // among the customers, from 0
	stride int // number of customers: numbers of different tenants interleave, as they do in life

	companyNos []int64
	people     []person // staff first
	staff      int
	files      Files
	messageNo  int64
	fileNo     int64
}

type person struct {
	no, company int64
	also        []int64 // further companies
	language    int
}

func newTenant(s Spec, index int, t *texts) *tenant {
	c := s.Customers[index]
	h := fnv.New64a()
	_, _ = h.Write([]byte(c.ID)) // a hash takes every write
	return &tenant{
		CustomerSpec: c,
		texts:        t,
		rng:          rand.New(rand.NewPCG(s.Seed, h.Sum64())),
		files:        s.Files,
		index:        index,
		stride:       len(s.Customers),
		staff:        c.staff(),
	}
}

// number is the k-th number of this tenant in a table, k from 0.
func (t *tenant) number(k int) int64 { return int64(1000 + k*t.stride + t.index) }

func (t *tenant) in(n int) bool { return t.rng.IntN(n) == 0 }

// between draws a second of the days given, the last one included.
func (t *tenant) between(from, to string) int64 {
	a, b := day(from), day(to)
	return a + t.rng.Int64N(b-a)
}

func day(date string) int64 {
	d, err := time.Parse(time.DateOnly, date)
	if err != nil {
		panic(err) // the dates are written in this package
	}
	return d.Unix()
}

func (t *tenant) client(b *batch) {
	b.clients.text(t.ID)
	b.clients.text(escape(t.Name))
	b.clients.text(pick(t.rng, []string{"starter", "team", "business"}))
	b.clients.end()
}

func (t *tenant) companyRows(b *batch) {
	offset := t.rng.IntN(len(t.companies))
	for k := range t.Organizations {
		no := t.number(k)
		t.companyNos = append(t.companyNos, no)
		name := t.companies[(offset+k)%len(t.companies)]
		if round := k / len(t.companies); round > 0 {
			name = fmt.Sprintf("%s %d", name, round+1) // Zendesk wants names that differ
		}
		made := t.between("2015-01-01", "2024-12-31")
		r := b.companies
		r.int(no)
		r.text(t.ID)
		r.text(escape(name))
		r.orNull(t.maybe(3, pick(t.rng, t.abouts)))
		r.orNull(t.maybe(3, `Contract renewed; "net 30",\nask for Ms. Ångström`))
		r.tags(t.labels("b2b", "key_account", "reseller", "trial"))
		r.orNull(every(k, 2, 1, `{"region": "emea"}`))
		r.time(made)
		r.time(made + t.rng.Int64N(300*86400))
		r.end()
	}
}

// maybe is the text in one of n cases, else empty.
func (t *tenant) maybe(n int, text string) string {
	if t.in(n) {
		return text
	}
	return ""
}

// labels draws up to two of the words.
func (t *tenant) labels(words ...string) []string {
	n := t.rng.IntN(3)
	first := t.rng.IntN(len(words) - n + 1)
	return words[first : first+n]
}

func (t *tenant) personRows(b *batch) {
	previous, previousCompany := "", int64(0)
	for k := range t.Users {
		p := person{no: t.number(k), language: pick(t.rng, t.wheel)}
		l := t.languages[p.language]
		kind, mail := "customer", t.mail(p.no, l)
		switch {
		case k == 0 && t.staff > 1:
			kind, mail = "owner", "owner@"+t.ID+".example"
		case k < t.staff:
			kind, mail = "teammate", t.teammate(k)
		default:
			if t.in(2) && len(t.companyNos) > 0 {
				p.company = pick(t.rng, t.companyNos)
			}
			if t.in(17) {
				mail = ""
			}
			if k > t.staff && k%90 == 7 && previous != "" {
				// the same person, registered twice
				mail = strings.ToUpper(previous[:1]) + previous[1:]
				p.company = previousCompany
			}
			previous, previousCompany = mail, p.company
		}
		if k >= t.staff && p.company != 0 {
			p.also = t.furtherCompanies(k, p.company)
		}
		t.people = append(t.people, p)
		t.personRow(b.people, p, k, kind, mail)
	}
}

// furtherCompanies are those of every fifth person, one or two.
func (t *tenant) furtherCompanies(k int, first int64) []int64 {
	var also []int64
	if k%5 == 2 {
		for i := range 1 + k%2 {
			no := t.companyNos[(k+i)%len(t.companyNos)]
			if no != first && !slices.Contains(also, no) {
				also = append(also, no)
			}
		}
	}
	return also
}

// every is the text for the k that leave that remainder, else empty.
func every(k, n, remainder int, text string) string {
	if k%n == remainder {
		return text
	}
	return ""
}

func (t *tenant) personRow(r *rows, p person, k int, kind, mail string) {
	l := t.languages[p.language]
	customer := k >= t.staff
	made := t.between("2015-01-01", "2024-12-31")
	r.int(p.no)
	r.text(t.ID)
	r.idOrNull(p.company)
	r.ids(p.also)
	if t.in(25) {
		r.null()
	} else {
		r.text(pick(t.rng, l.first))
	}
	r.text(pick(t.rng, l.last))
	r.orNull(mail)
	if customer && mail != "" {
		r.orNull(every(k, 8, 3, fmt.Sprintf("{second.%d@example.net}", p.no)))
	} else {
		r.null()
	}
	if t.in(3) {
		r.text(l.dial, fmt.Sprintf("%04d", t.rng.IntN(10_000)))
	} else {
		r.null()
	}
	if customer {
		r.orNull(every(k, 11, 5, fmt.Sprintf(`{"+49 30 %06d"}`, p.no)))
	} else {
		r.null()
	}
	r.text(kind)
	r.orNull(t.maybe(2, l.zone))
	r.orNull(t.maybe(2, l.code))
	if t.in(2) {
		r.null()
	} else {
		r.tags(t.labels("newsletter", "vip", "beta"))
	}
	r.orNull(every(k, 3, 1, `{"customer_tier": "gold", "seats": 12}`))
	r.bool(customer && k%13 == 6)
	r.time(made)
	r.time(made + t.rng.Int64N(300*86400))
	r.end()
}

// mail is an address that nobody else of this tenant has.
func (t *tenant) mail(no int64, l languageTexts) string {
	name := strings.ToLower(pick(t.rng, []string{"anna", "ben", "chris", "dana", "erik", "fran", "gil", "hana"}))
	return fmt.Sprintf("%s.%s%d@%s", name, strings.ToLower(l.code[:2]), no, pick(t.rng, []string{"example.com", "mail.example.org", "example.net"}))
}
