package zendesk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"farewell/destination"
	"farewell/migration"
)

// DefaultExternalIDPrefix goes before a source id to make the external id.
const DefaultExternalIDPrefix = "farewell-"

// Tag is on every ticket that Farewell wrote.
const Tag = "farewell"

// bulkLimit is the most records that a bulk request takes
// (https://developer.zendesk.com/api-reference/ticketing/tickets/ticket_import/).
const bulkLimit = 100

// Options are what Open needs.
type Options struct {
	Account          destination.Account
	Timings          migration.Timings
	ExternalIDPrefix string       // empty: DefaultExternalIDPrefix
	Budget           Budget       // what all workers share; nil: this process is alone
	Kept             string       // the folder for what an account has no room for; empty: tickets of which that is true are not sent
	Exit             *Exit        // the way out, for all accounts of the process; nil: this account is alone
	Logger           *slog.Logger // nil: nothing is logged

	// Off are rules that are not in force, for tests that show what becomes of
	// a record without one. The product has none.
	Off map[migration.Rule]bool
}

// Account is one customer's Zendesk account. It implements
// destination.Batches; one value serves all activities of a worker.
type Account struct {
	name     string
	customer string
	plan     int
	auth     string
	prefix   string
	kept     string
	timings  migration.Timings
	log      *slog.Logger
	off      map[migration.Rule]bool

	base   string // the account's URL without a slash at its end
	http   *http.Client
	creds  credentials
	clock  *clock
	health *health
	waits  *waits
	pace   *pacer
	exit   *Exit
	slots  *slots
	jobs   *poller
	look   *resolver
	export *exportPace
	// endpoints have limits of their own.
	endpoints *endpoints
	recent    *recentKeys
	self      *selfID
	mapped    translations
	joinings  joinings
	agents    *agents
	census    censuses

	uploadLimit *uploadLimit
	uploading   chan struct{} // one is in it for each file on its way
	uploaded    lastTime      // when a file last was

	sent         atomic.Int64 // requests other than polls
	bulkUsersOff atomic.Bool  // the account refused users/create_many: it must be enabled by Zendesk

	live context.Context // ends with Close
	end  context.CancelFunc
}

var _ destination.Batches = (*Account)(nil)

// Open makes an account ready for use. It sends nothing; whether the account
// lets us in is Preflight's business. The account runs goroutines only while
// calls wait, and until Close.
func Open(o Options) (*Account, error) {
	base, err := baseURL(o.Account.URL)
	if err != nil {
		return nil, misconfigured(o.Account.Name, err)
	}
	if o.Account.Secret == nil {
		return nil, misconfigured(o.Account.Name, errors.New("it names no secret"))
	}
	if o.Timings.RateWindow <= 0 || o.Timings.PollEvery <= 0 {
		return nil, misconfigured(o.Account.Name, errors.New("the timings lack a rate window or a poll interval; begin with migration.DefaultTimings"))
	}
	a := &Account{
		name:     o.Account.Name,
		customer: o.Account.Customer,
		kept:     o.Kept,
		off:      o.Off,
		plan:     o.Account.PlanPerMinute,
		auth:     o.Account.Auth,
		prefix:   o.ExternalIDPrefix,
		timings:  o.Timings,
		log:      o.Logger,
		base:     base,
		http:     newHTTPClient(),
		clock:    &clock{},
		health:   newHealth(),
		waits:    newWaits(),
		recent:   newRecentKeys(),
	}
	if a.prefix == "" {
		a.prefix = DefaultExternalIDPrefix
	}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	a.log = a.log.With("account", a.name)
	budget := o.Budget
	if budget == nil {
		budget = newLoneBudget()
	}
	a.live, a.end = context.WithCancel(context.Background())
	a.exit = o.Exit
	if a.exit == nil {
		a.exit = NewExit(newLoneEgress(), a.log)
	}
	a.pace = newPacer(o.Account, o.Timings, budget, a.exit, a.clock, a.waits)
	a.slots = newSlots(a, budget)
	a.export = newExportPace(o.Timings.RateWindow, a.clock)
	a.endpoints = newEndpoints(o.Account)
	a.jobs = newPoller(a)
	a.look = newResolver(a)
	a.self = newSelfID(a)
	a.census.a = a
	a.agents = &agents{a: a, standIn: emailKey(o.Account.Agent)}
	a.uploadLimit = &uploadLimit{a: a}
	a.uploading = make(chan struct{}, uploadsAtATime)
	if a.creds, err = newCredentials(a, o.Account); err != nil {
		a.end()
		return nil, misconfigured(o.Account.Name, err)
	}
	a.exit.join(a)
	return a, nil
}

// Close ends the polling and the look-ups that are under way.
func (a *Account) Close() error {
	a.exit.leave(a)
	a.end()
	a.http.CloseIdleConnections()
	return a.slots.close()
}

// BatchSize is 100, or 1 for users once the account has refused bulk users.
func (a *Account) BatchSize(e migration.Entity) int {
	if e == migration.Users && a.bulkUsersOff.Load() {
		return 1
	}
	return bulkLimit
}

// WaitingFor tells the most serious of the reasons why requests wait.
func (a *Account) WaitingFor() migration.Reason {
	now := time.Now()
	code, until := a.exit.obstacle(a.name, now)
	if code == "" {
		if r := a.health.reason(now); r.Code != "" {
			return r
		}
		code, until = a.pace.rests(now)
	}
	if r := a.waits.standing(code, until); r.Code != "" {
		return r
	}
	return a.waits.reason()
}

func baseURL(raw string) (string, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return "", errors.New("its url cannot be read") // the parse error would quote it, and it may hold a password
	}
	if (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", errors.New("its url must look like https://name.zendesk.com, without user, query or fragment")
	}
	return strings.TrimSuffix(u.Scheme+"://"+u.Host+strings.TrimSuffix(u.EscapedPath(), "/"), "/api/v2"), nil
}

func misconfigured(account string, err error) error {
	return &destination.Error{
		Op:   "open zendesk account " + account,
		Kind: destination.Misconfigured,
		Code: "settings",
		Fix:  "correct the account's line in the accounts file",
		Err:  fmt.Errorf("account %s: %w", account, err),
	}
}
