package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"farewell/destination/zendesk"
	"farewell/integration/roundtrip/corpus"
	"farewell/integration/roundtrip/judge"
	"farewell/migration"
)

// direct is an account with the corpus's people, into which tickets go as the
// product encodes them, one by one and without a source: for what a source in
// Postgres cannot hold, and for rules that are switched off.
type direct struct {
	reader
	users, orgs map[string]migration.Target
	world       judge.World
	first       int // number of the first person and organization
}

// openDirect makes the people in an empty account.
func openDirect(ctx context.Context, r reader, first int) (*direct, error) {
	d := &direct{reader: r, users: map[string]migration.Target{}, orgs: map[string]migration.Target{}, first: first}
	d.world = judge.World{Users: map[string]string{}, Organizations: map[string]string{}, Home: map[string]string{}, StandIns: map[string]bool{}}
	for n := range corpus.Organizations {
		id, err := d.create(ctx, "organization", map[string]any{"name": fmt.Sprint("org ", n)})
		if err != nil {
			return nil, err
		}
		source := fmt.Sprint(first + n)
		d.orgs[source], d.world.Organizations[source] = migration.Target{ID: id}, id
	}
	for n := range corpus.Persons {
		if err := d.person(ctx, n); err != nil {
			return nil, err
		}
	}
	me, err := d.get(ctx, "users/me")
	if err != nil {
		return nil, err
	}
	self, _ := me["user"].(map[string]any)
	d.world.StandIns[fmt.Sprint(self["id"])] = true
	return d, nil
}

func (d *direct) person(ctx context.Context, n int) error {
	user := map[string]any{"name": fmt.Sprint("person ", n), "email": fmt.Sprintf("p%d@example.com", n)}
	home := d.world.Organizations[fmt.Sprint(d.first+corpus.Home(n))]
	if corpus.Home(n) > 0 {
		user["organization_id"] = home
	}
	id, err := d.create(ctx, "user", user)
	if err != nil {
		return err
	}
	source := fmt.Sprint(d.first + n)
	d.users[source], d.world.Users[source] = migration.Target{ID: id}, id
	if corpus.Home(n) > 0 {
		d.world.Home[id] = home
	}
	return nil
}

// post sends one record; answered is nil where it was refused.
func (d *direct) post(ctx context.Context, path, word string, body []byte) (answered map[string]any, refused string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, d.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, "", err
	}
	request.Header.Set("Authorization", "Bearer "+d.token)
	request.Header.Set("Content-Type", "application/json")
	response, err := d.http.Do(request)
	if err != nil {
		return nil, "", err
	}
	said, err := io.ReadAll(response.Body)
	if err := errClosed(response.Body.Close(), err); err != nil {
		return nil, "", err
	}
	if response.StatusCode != http.StatusCreated {
		return nil, fmt.Sprintf("%s %.300s", response.Status, said), nil
	}
	whole, err := object(said)
	if err != nil {
		return nil, "", err
	}
	answered, _ = whole[word].(map[string]any)
	return answered, "", nil
}

func (d *direct) create(ctx context.Context, word string, record map[string]any) (string, error) {
	body, err := json.Marshal(map[string]any{word: record})
	if err != nil {
		return "", err
	}
	created, refused, err := d.post(ctx, word+"s", word, body)
	if err == nil && refused != "" {
		err = fmt.Errorf("create a %s: %s", word, refused)
	}
	return fmt.Sprint(created["id"]), err
}

// shown is a ticket as the account shows it, with what the product has listed.
type shown struct {
	ticket   map[string]any
	comments []map[string]any
	solved   any
	listed   map[string][]judge.Change
}

// send imports one ticket without a rule ("": with all of them) and reads it
// back; refused tells why it is not there.
func (d *direct) send(ctx context.Context, t judge.Ticket, off migration.Rule) (got shown, changes []migration.Change, refused string, err error) {
	body, changes := zendesk.EncodeTickets(nil, d.encode(t, off))
	got, refused, err = d.importTicket(ctx, body, changes)
	return got, changes, refused, err
}

// importTicket sends a ticket as it was encoded, and reads it back.
func (d *direct) importTicket(ctx context.Context, body []byte, changes []migration.Change) (got shown, refused string, err error) {
	arrived, refused, err := d.post(ctx, "imports/tickets", "ticket", body)
	if err != nil || refused != "" {
		return got, refused, err
	}
	id := fmt.Sprint(arrived["id"])
	got = shown{ticket: arrived, listed: listed(changes)}
	if got.solved, err = d.solvedAt(ctx, id); err != nil {
		return got, "", err
	}
	got.comments, err = d.comments(ctx, id)
	return got, "", err
}

func (d *direct) encode(t judge.Ticket, off migration.Rule) zendesk.EncodeInput {
	var self string
	for id := range d.world.StandIns {
		self = id
	}
	return zendesk.EncodeInput{
		Tickets: []migration.Ticket{record(t)}, Users: d.users, Organizations: d.orgs, Self: self, Prefix: "farewell-",
		Partition: "tickets-0001", Single: true, Now: time.Now(), Off: map[migration.Rule]bool{off: true},
	}
}

func (d *direct) judge(t judge.Ticket, got shown) judge.Verdict {
	w := d.world
	w.Now, w.Changes = time.Now().Unix(), got.listed
	return judge.Judge(w, t, got.ticket, got.comments, got.solved)
}

// bring imports tickets, and judges what arrived.
func (d *direct) bring(ctx context.Context, tickets []judge.Ticket, off migration.Rule) (tally, error) {
	all := tally{rules: map[string]int{}}
	for _, t := range tickets {
		got, changes, refused, err := d.send(ctx, t, off)
		if err != nil {
			return all, fmt.Errorf("ticket %s: %w", t.ID, err)
		}
		v := judge.Verdict{Unlisted: []string{"ticket " + t.ID + ": is not there: " + refused}}
		if refused == "" {
			v = d.judge(t, got)
			all.tickets++
		}
		for _, c := range changes {
			all.rules[string(c.Rule)]++
		}
		all.add(tally{planned: 1, comments: len(got.comments), fields: v.Fields, listed: v.Listed, unlisted: v.Unlisted})
	}
	return all, nil
}

func listed(changes []migration.Change) map[string][]judge.Change {
	by := map[string][]judge.Change{}
	for _, c := range changes {
		by[c.SourceID] = append(by[c.SourceID], judge.Change{
			Entity: string(c.Entity), SourceID: c.SourceID, Field: c.Field, Part: c.Part, Rule: string(c.Rule), Before: c.Before, After: c.After,
		})
	}
	return by
}

// record is a ticket as the source's package reads it.
func record(t judge.Ticket) migration.Ticket {
	moment := func(at *int64) time.Time {
		if at == nil {
			return time.Time{}
		}
		return time.Unix(*at, 1000).UTC()
	}
	r := migration.Ticket{
		ID: t.ID, RequesterID: t.Requester, SubmitterID: t.Submitter, OrganizationID: t.Organization, Subject: t.Subject, Status: t.Status,
		Priority: t.Priority, Type: t.Type, Channel: t.Channel, Tags: t.Tags, CCs: t.CCs,
		CreatedAt: moment(t.Created), UpdatedAt: moment(t.Updated), SolvedAt: moment(t.Solved),
	}
	r.CustomFields, _ = json.Marshal(t.Fields) // of texts, which always encode
	for _, c := range t.Comments {
		r.Comments = append(r.Comments, migration.Comment{ID: c.ID, AuthorID: c.Author, Public: c.Public, HTML: c.HTML, Body: c.Body, CreatedAt: moment(c.Created), Attachments: attachments(t.ID, c.Files)})
	}
	return r
}

func attachments(ticketID string, files []judge.File) []migration.Attachment {
	var all []migration.Attachment
	for _, f := range files {
		all = append(all, migration.Attachment{ID: f.ID, TicketID: ticketID, FileName: f.Name, ContentType: "application/pdf", Size: int64(len(f.Content))})
	}
	return all
}

// ticketRules are all that Farewell has about tickets without files and mapping.
func ticketRules() []migration.Rule {
	return []migration.Rule{
		migration.RuleSubjectCut, migration.RuleSubjectKept, migration.RuleTextCleaned, migration.RuleBodySplit, migration.RuleBodyBlank, migration.RuleNoMessages,
		migration.RuleCommentsOver, migration.RuleTagCleaned, migration.RuleStatusMissing, migration.RuleTimeMissing, migration.RuleTimeEarly, migration.RuleTimeFuture,
		migration.RuleTimeOrder, migration.RulePersonReplaced, migration.RuleOrganizationLeft, migration.RuleCCsOver, migration.RuleCCLeft,
	}
}

// beyondPostgres brings what no source in Postgres holds.
func (w *world) beyondPostgres(ctx context.Context) (tally, error) {
	if err := w.settings(ctx, impossible, map[string]any{"plan_per_minute": plenty, "time_scale": factor}); err != nil {
		return tally{}, err
	}
	d, err := openDirect(ctx, w.reader(impossible), hostileFirst)
	if err != nil {
		return tally{}, fmt.Errorf("people of %s: %w", impossible, err)
	}
	return d.bring(ctx, corpus.Impossible(hostileFirst), "")
}

// peopleRules are all that Farewell has about users and organizations without a
// mapping.
func peopleRules() []migration.Rule {
	return []migration.Rule{
		migration.RuleSpaceTrimmed, migration.RuleNameMissing, migration.RuleNameCut, migration.RuleTagCleaned, migration.RuleOrganizationLeft, migration.RuleAgentReplaced,
	}
}

// neededRules are those that the sample and the corpus must need.
func neededRules() []migration.Rule {
	rules := append(ticketRules(), peopleRules()...)
	slices.Sort(rules)
	return slices.Compact(rules)
}

// unseen are those of the rules that nothing has needed.
func unseen(seen map[string]int, rules []migration.Rule) string {
	var missing []string
	for _, rule := range rules {
		if seen[string(rule)] == 0 {
			missing = append(missing, string(rule))
		}
	}
	return strings.Join(missing, " ")
}
