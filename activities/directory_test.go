package activities_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"farewell/activities"
	"farewell/destination"
	"farewell/migration"
	"farewell/source"
)

var (
	allOrganizations = migration.Partition{ID: "organizations-0001", Entity: migration.Organizations, Rows: 100}
	allUsers         = migration.Partition{ID: "users-0001", Entity: migration.Users, Rows: 100}
	allMemberships   = migration.Partition{ID: "memberships-0001", Entity: migration.Memberships, Rows: 100}
)

func (w *worker) mustBring(p migration.Partition) {
	w.t.Helper()
	if out, err := w.exportOf(p); err != nil || !out.Done {
		w.t.Fatalf("export %s: %+v, %v", p.ID, out, err)
	}
}

// questions counts what a worker asks about people.
type questions struct {
	mu     sync.Mutex
	ledger int // look-ups of targets
	source int // pages of users
}

func (q *questions) take() (ofLedger, ofSource int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	ofLedger, ofSource = q.ledger, q.source
	q.ledger, q.source = 0, 0
	return ofLedger, ofSource
}

// questioned has the worker's questions counted, and compares whom its tickets
// find with what the ledger says at that moment.
func (w *worker) questioned() *questions {
	q := &questions{}
	w.does.Ledger = &askedLedger{w.does.Ledger, q}
	w.does.Source = &askedSource{w.does.Source, q}
	w.through(func(b destination.Batches) destination.Batches { return &witness{b, w.stage} })
	return q
}

type askedLedger struct {
	activities.Ledger
	*questions
}

func (l *askedLedger) Targets(ctx context.Context, m migration.Migration, e migration.Entity, ids []string) (map[string]migration.Target, error) {
	l.mu.Lock()
	l.ledger++
	l.mu.Unlock()
	return l.Ledger.Targets(ctx, m, e, ids)
}

type askedSource struct {
	activities.Source
	*questions
}

func (s *askedSource) Page(ctx context.Context, q source.PageQuery) (migration.Page, error) {
	if q.Partition.Entity == migration.Users {
		s.mu.Lock()
		s.source++
		s.mu.Unlock()
	}
	return s.Source.Page(ctx, q)
}

type witness struct {
	destination.Batches
	stage *stage
}

func (w *witness) Prepare(ctx context.Context, in destination.PrepareInput) (destination.Parcel, error) {
	if in.Entity == migration.Tickets {
		users, organizations := w.People(in.Entity, in.Page)
		for e, ids := range map[migration.Entity][]string{migration.Users: users, migration.Organizations: organizations} {
			want, err := w.stage.ledger.Targets(ctx, acme, e, ids)
			if err != nil {
				return destination.Parcel{}, err
			}
			found, err := in.Directory(ctx, e, ids)
			if err != nil {
				return destination.Parcel{}, err
			}
			found = maps.Clone(found)
			maps.DeleteFunc(found, func(_ string, t migration.Target) bool { return t.Placeholder })
			if !maps.Equal(found, want) {
				w.stage.t.Errorf("%s are found as %+v, the ledger says %+v", e, found, want)
			}
		}
	}
	return w.Batches.Prepare(ctx, in)
}

// ticket makes the n-th ticket one of these people.
func (s *stage) ticket(n int, requester, organization string, others ...string) {
	t := &s.source.tickets[n]
	t.RequesterID, t.OrganizationID, t.CCs = requester, organization, others
	t.Comments = slices.Clone(t.Comments)
	t.Comments[0].AuthorID = requester
}

// withOrganization tells of each ticket whether it arrived with one.
func (s *stage) withOrganization() map[string]bool {
	with := map[string]bool{}
	s.eachInAccount(func(t accountTicket) {
		with[strings.TrimPrefix(t.ExternalID, "farewell-")] = t.OrganizationID != 0
	})
	return with
}

func newPeopledStage(t *testing.T, tickets int) *stage {
	s := newStage(t, tickets, map[string]any{"agents": []any{map[string]any{"name": "Bea", "email": "bea@example.com", "role": "agent"}}})
	s.source.organizations = []migration.Organization{{ID: "o1", Name: "One"}, {ID: "o2", Name: "Two"}}
	s.source.users = []migration.User{
		{ID: "11", Name: "Ann", Email: "ann@example.com", OrganizationID: "o1"},
		{ID: "12", Name: "Ann again", Email: "Ann@example.com", OrganizationID: "o1"},
		{ID: "13", Name: "Bea", Email: "bea@example.com", Role: "agent"},
		{ID: "14", Name: "Gone", Email: "gone@example.com", Role: "agent"},
		{ID: "15", Name: "Cem", Email: "cem@example.com", OrganizationID: "o1", Organizations: []string{"o2"}},
		{ID: "16", Name: "Dee", Email: "dee@example.com"},
		{ID: "17", Name: "Eve", Email: "eve@example.com", OrganizationID: "o1"},
	}
	return s
}

func TestTicketsAskNobodyForWhomTheRunHasBroughtHere(t *testing.T) {
	s := newPeopledStage(t, 4)
	s.ticket(0, "17", "o1", "11", "12", "13")
	s.ticket(1, "15", "o2", "14")
	s.ticket(2, "16", "")
	s.ticket(3, "15", "o1")
	w := s.hire()
	asked := w.questioned()
	for _, p := range []migration.Partition{allOrganizations, allUsers, allMemberships} {
		w.mustBring(p)
	}
	asked.take()
	w.mustFinish()
	if ofLedger, ofSource := asked.take(); ofLedger != 0 || ofSource != 0 {
		t.Errorf("asked the ledger %d times and the source %d times", ofLedger, ofSource)
	}
	s.wantAllOnce()
	if got, want := s.withOrganization(), map[string]bool{"1001": true, "1002": true, "1003": false, "1004": true}; !maps.Equal(got, want) {
		t.Errorf("with an organization: %v, want %v", got, want)
	}
}

func TestAnotherWorkersPeopleAreAskedForOnce(t *testing.T) {
	s := newPeopledStage(t, 250)
	for i := range s.source.tickets {
		s.ticket(i, "15", "o1", "11", "12", "13")
	}
	brings := s.hire()
	for _, p := range []migration.Partition{allOrganizations, allUsers, allMemberships} {
		brings.mustBring(p)
	}
	w := s.hire()
	asked := w.questioned()
	w.mustFinish()
	if ofLedger, ofSource := asked.take(); ofLedger != 2 || ofSource != 1 {
		t.Errorf("asked the ledger %d times and the source %d times, want 2, for users and organizations, and 1", ofLedger, ofSource)
	}
	s.wantAllOnce()
}

func TestWhoWasInTheAccountBeforeAndIsInNoOrganizationThereIsAskedForOnce(t *testing.T) {
	s := newPeopledStage(t, 250)
	s.source.users[2].OrganizationID = "o1" // Bea's, at the source
	for i := range s.source.tickets {
		s.ticket(i, "13", "o1")
	}
	w := s.hire()
	for _, p := range []migration.Partition{allOrganizations, allUsers, allMemberships} {
		w.mustBring(p)
	}
	asked := w.questioned()
	w.mustFinish()
	if ofLedger, _ := asked.take(); ofLedger != 2 {
		t.Errorf("the ledger was asked %d times, want 2, before and after a look into the account", ofLedger)
	}
	s.source.comes("0002")
	s.ticket(250, "13", "o1")
	w.mustFinish()
	if ofLedger, _ := asked.take(); ofLedger != 0 {
		t.Errorf("the next partition asked the ledger %d times", ofLedger)
	}
	s.wantAllOnce()
	for id, with := range s.withOrganization() {
		if with {
			t.Errorf("ticket %s has an organization in which its requester is not", id)
		}
	}
}

// refusing has the account refuse a user, as often as it says.
type refusing struct {
	destination.Batches
	id    string
	times int
}

func (r *refusing) Prepare(ctx context.Context, in destination.PrepareInput) (destination.Parcel, error) {
	if in.Entity == migration.Users && slices.Contains(in.Page.IDs(), r.id) && r.times > 0 {
		r.times--
		in.Page = in.Page.Without(map[string]bool{r.id: true})
		parcel, err := r.Batches.Prepare(ctx, in)
		parcel.Decided = append(parcel.Decided, migration.Item{SourceID: r.id, Outcome: migration.Failed, Code: "refused", Text: "the account does not want them"})
		return parcel, err
	}
	return r.Batches.Prepare(ctx, in)
}

func TestWhoIsBroughtByARetryIsFoundFromThenOn(t *testing.T) {
	s := newPeopledStage(t, 1)
	s.ticket(0, "16", "")
	w := s.hire()
	w.questioned()
	w.through(func(b destination.Batches) destination.Batches { return &refusing{b, "16", 2} })
	w.mustBring(allUsers)
	w.mustFinish()
	s.source.comes("0002")
	out, err := w.exportAs(migration.ExportInput{Partition: allUsers, RetryBefore: time.Now().Add(time.Minute), Tolerance: migration.Tolerance{Percent: 100, Consecutive: 50}})
	if err != nil || !out.Done {
		t.Fatalf("retry: %+v, %v", out, err)
	}
	w.mustFinish()
	s.wantAllOnce()
	requesters := map[string]int64{}
	s.eachInAccount(func(t accountTicket) { requesters[strings.TrimPrefix(t.ExternalID, "farewell-")] = t.RequesterID })
	if requesters["1001"] == requesters["0002"] || requesters["0002"] == 0 {
		t.Errorf("requesters are %v: the second ticket should have the user, not who stood in", requesters)
	}
}

// What a user was sent with counts, not what the source says when a ticket of
// theirs is read: Zendesk refuses the ticket of somebody who is not in its
// organization.
func TestWhoHasMovedIsBroughtIntoTheNewOrganizationBeforeTheirTicket(t *testing.T) {
	s := newPeopledStage(t, 1)
	s.ticket(0, "17", "o2")
	w := s.hire()
	for _, p := range []migration.Partition{allOrganizations, allUsers, allMemberships} {
		w.mustBring(p)
	}
	s.source.users[6].OrganizationID = "o2"
	w.mustFinish()
	s.wantAllOnce()
	if !s.withOrganization()["1001"] {
		t.Error("the ticket arrived without its organization")
	}
}

// unreadable is a source that fails to read the n-th page of users, once.
type unreadable struct {
	activities.Source
	n atomic.Int32
}

func (u *unreadable) Page(ctx context.Context, q source.PageQuery) (migration.Page, error) {
	if q.Partition.Entity == migration.Users && u.n.Add(-1) == 0 {
		return migration.Page{}, errors.New("the source is away")
	}
	return u.Source.Page(ctx, q)
}

func TestUsersGoOnWhereTheSourceFailed(t *testing.T) {
	s := newStage(t, 0, nil)
	s.source.users = nil
	for i := range 450 {
		id := fmt.Sprint(1001 + i)
		s.source.users = append(s.source.users, migration.User{ID: id, Name: "User " + id, Email: id + "@example.com"})
	}
	w := s.hire()
	away := &unreadable{Source: s.source}
	away.n.Store(3)
	w.does.Source = away
	if _, err := w.exportOf(allUsers); err == nil {
		t.Fatal("the source was away, and the lane ended well")
	}
	w.mustBring(allUsers)
	counts, err := s.ledger.ExactCounts(s.t.Context(), acme, run)
	must(t, err)
	if got, want := counts[migration.Users], (migration.Counts{Read: 450, Created: 450}); got != want {
		t.Errorf("the ledger counts users as %+v, want %+v", got, want)
	}
}
