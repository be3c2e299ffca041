package zendesktest

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"hash/fnv"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// birth is what makes two accounts of the same name and settings different. It is kept over a restart.
type birth struct {
	Salt string `json:"salt"`
	At   int64  `json:"at"` // nanoseconds since 1970
}

func newBirth() birth { return birth{Salt: rand.Text(), At: time.Now().UnixNano()} }

// account is one Zendesk account. Everything below mu is under it; what happens there depends only on the requests, their
// times and the birth, so that a journal of requests can rebuild it.
type account struct {
	name   string
	number int64 // account_id, and the base of ids

	edgeStatus atomic.Int64 // not 0 while the edge blocks the account

	mu      sync.Mutex
	birth   birth
	journal *journal

	settings Settings
	dice     []die
	last     int64 // the latest time that was dealt with
	stats    accountStats
	limits   limiter

	tickets       ticketStore
	users         userStore
	organizations organizationStore
	memberships   membershipStore
	jobs          jobStore
	uploads       uploadStore
	tokens        tokenStore
	fields        fieldCatalogue
	groups        []reference
	brands        []reference
}

func newAccount(name string, settings Settings, born birth) *account {
	hash := fnv.New32a()
	hash.Write([]byte(name))
	a := &account{name: name, number: 10_000 + int64(hash.Sum32()%9_000_000)}
	a.stats = newAccountStats()
	a.begin(settings, born)
	return a
}

// begin makes the account new: nothing in it but its owner, one agent, a group and a brand.
func (a *account) begin(settings Settings, born birth) {
	a.birth = born
	a.last = born.At
	a.tickets = newTicketStore(a.number)
	a.users = newUserStore(a.number)
	a.organizations = newOrganizationStore(a.number)
	a.memberships = membershipStore{}
	a.jobs = newJobStore()
	a.uploads = newUploadStore(a.number)
	a.tokens = newTokenStore()
	a.hire("Owner", "owner@"+a.name+".example", "admin")
	a.hire("Agent", "agent@"+a.name+".example", "agent")
	a.apply(settings, true)
	a.issueStaticTokens()
}

// hire adds somebody who was not imported.
func (a *account) hire(name, email, role string) {
	a.users.add(&user{
		name: name, role: role, verified: true, created: seconds(a.last), updated: seconds(a.last),
		identities: []identity{a.users.identity("email", email, true, seconds(a.last))},
	}, a.last)
}

// clock is the time, which never goes back: the journal's order and its times must agree.
func (a *account) clock() int64 {
	a.last = max(a.last, time.Now().UnixNano())
	return a.last
}

// configure changes the settings by a patch, and writes the change to the journal.
func (a *account) configure(patch []byte) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	settings, err := a.settings.with(patch)
	if err != nil {
		return err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(patch, &members); err != nil {
		return err
	}
	_, newFaults := members["faults"]
	now := a.clock()
	a.advance(now)
	if err := a.journal.appendSettings(now, settings); err != nil {
		return err
	}
	a.apply(settings, newFaults)
	return nil
}

// apply takes the settings into use. Windows start afresh when their length changes.
func (a *account) apply(settings Settings, newFaults bool) {
	rescaled := a.settings.TimeScale != settings.TimeScale
	a.settings = settings
	a.edgeStatus.Store(0)
	if settings.EdgeBlock {
		a.edgeStatus.Store(int64(settings.EdgeStatus))
	}
	if rescaled {
		a.limits = newLimiter(&a.settings)
	}
	if newFaults {
		a.dice = rollDice(settings)
	}
	a.fields = newFieldCatalogue(settings.TicketFields)
	a.groups = references(settings.Groups, reference{id: a.number*1000 + 1, name: "Support"})
	for _, entry := range settings.Agents {
		name, _ := entry["name"].(string)
		email, _ := entry["email"].(string) // Settings.check has seen both
		role, _ := entry["role"].(string)
		if a.users.byEmail[normalEmail(email)] == nil {
			a.hire(name, normalEmail(email), role)
		}
	}
	a.brands = references(settings.Brands, reference{id: a.number*1000 + 2, name: a.name})
}

// reset makes the account new again, with its settings.
func (a *account) reset() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	born := newBirth()
	if err := a.journal.restart(born, a.settings); err != nil {
		return err
	}
	a.stats = newAccountStats()
	a.limits = newLimiter(&a.settings)
	a.begin(a.settings, born)
	return nil
}

// secret derives a value that cannot be guessed, and that a replay of the journal derives again.
func (a *account) secret(purpose string, n int64) string {
	sum := sha256.Sum256([]byte(a.birth.Salt + "|" + purpose + "|" + strconv.FormatInt(n, 10)))
	return hex.EncodeToString(sum[:16])
}

// canonicalURL is the url inside records: with the account's canonical subdomain, not with the host that was called.
func (a *account) canonicalURL(e *encoder, path string, id int64) {
	e.key("url")
	e.separate()
	e.buf = append(e.buf, `"https://`...)
	e.buf = append(e.buf, a.name...)
	e.buf = append(e.buf, `.zendesk.invalid/api/v2/`...)
	e.buf = append(e.buf, path...)
	e.buf = append(e.buf, '/')
	e.buf = strconv.AppendInt(e.buf, id, 10)
	e.buf = append(e.buf, `.json"`...)
}

// reference is a group or a brand.
type reference struct {
	id   int64
	name string
}

func references(configured []map[string]any, standard reference) []reference {
	if len(configured) == 0 {
		return []reference{standard}
	}
	list := make([]reference, 0, len(configured))
	for _, entry := range configured {
		id, _ := entry["id"].(float64) // Settings.check has seen that it is a number
		name, _ := entry["name"].(string)
		list = append(list, reference{int64(id), name})
	}
	return list
}

func has(list []reference, id int64) bool {
	for _, r := range list {
		if r.id == id {
			return true
		}
	}
	return false
}
