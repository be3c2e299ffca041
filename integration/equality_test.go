package integration_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"farewell/sandbox/samplecrm"
)

// The CRM's words in Zendesk's.
var (
	statusOf   = map[string]string{"fresh": "new", "active": "open", "waiting": "pending", "parked": "hold", "answered": "solved", "archived": "closed"}
	priorityOf = map[string]string{"": "", "1": "low", "2": "normal", "3": "high", "4": "urgent"}
	typeOf     = map[string]string{"": "", "ask": "question", "fault": "problem", "outage": "incident", "todo": "task"}
	channelOf  = map[string]string{"mail": "email", "livechat": "chat", "facebook": "facebook", "twitter": "twitter"}
)

// arrived is what an account holds, and who is who in it.
type arrived struct {
	t             testing.TB
	tickets       map[string][]map[string]any // by external id
	users         []map[string]any
	organizations []map[string]any
	person        map[string]string // the CRM's number of a person → id in the account
	company       map[string]string
}

// arrivedIn reads the account, and finds out by external id or e-mail address
// who the tenant's people have become.
func (s *stage) arrivedIn(account, client string) arrived {
	s.t.Helper()
	a := arrived{
		t:             s.t,
		tickets:       map[string][]map[string]any{},
		users:         s.sandbox.records(account, "users"),
		organizations: s.sandbox.records(account, "organizations"),
		person:        map[string]string{},
		company:       map[string]string{},
	}
	for _, t := range s.sandbox.records(account, "tickets") {
		id := text(t["external_id"])
		a.tickets[id] = append(a.tickets[id], t)
	}
	byExternalID, byMail := map[string]string{}, map[string]string{}
	standIn := "" // for staff without a seat: whom the accounts file names, else the admin whose credentials are in use
	for _, u := range a.users {
		if text(u["role"]) == "admin" && standIn == "" || text(u["email"]) == "front.desk@"+client+".example" {
			standIn = text(u["id"])
		}
		byExternalID[text(u["external_id"])] = text(u["id"])
		byMail[strings.ToLower(text(u["email"]))] = text(u["id"])
		for _, i := range objects(s.t, u["identities"]) {
			byMail[strings.ToLower(text(i["value"]))] = text(u["id"])
		}
	}
	for _, p := range s.people(client) {
		no := text(p["person_no"])
		a.person[no] = byExternalID["farewell-"+no]
		if mail := text(p["mail"]); a.person[no] == "" && mail != "" {
			a.person[no] = byMail[mail]
		}
		if a.person[no] == "" && text(p["kind"]) != "customer" {
			a.person[no] = standIn
		}
	}
	a.person[""] = byExternalID["farewell-unknown-person"]
	for _, o := range a.organizations {
		if no, ours := strings.CutPrefix(text(o["external_id"]), "farewell-"); ours {
			a.company[no] = text(o["id"])
		}
	}
	return a
}

// wantEqual compares everything of the tenant with the account, except for the
// tickets whose numbers are left out.
func (s *stage) wantEqual(account, client string, leftOut ...string) {
	s.t.Helper()
	a := s.arrivedIn(account, client)
	want := s.conversations(client)
	expected := 0
	for _, c := range want {
		if !slices.Contains(leftOut, text(c["conversation_no"])) {
			expected++
			a.wantTicket(c)
		}
	}
	if len(a.tickets) != expected {
		s.t.Errorf("account %s: %d tickets, want %d", account, len(a.tickets), expected)
	}
	a.wantPeople(s.people(client))
	a.wantOrganizations(s.companies(client))
	s.sandbox.wantNothingTwice(account)
}

func (a arrived) wantTicket(c map[string]any) {
	a.t.Helper()
	no := text(c["conversation_no"])
	found := a.tickets["farewell-"+no]
	if len(found) != 1 {
		a.t.Errorf("ticket %s is there %d times", no, len(found))
		return
	}
	got := found[0]
	requester := a.person[text(c["opened_by"])]
	submitter := requester
	if by := text(c["entered_by"]); by != "" {
		submitter = a.person[by]
	}
	for _, field := range []struct{ name, got, want string }{
		{"subject", text(got["subject"]), text(c["title"])},
		{"status", text(got["status"]), statusOf[text(c["progress"])]},
		{"priority", text(got["priority"]), priorityOf[text(c["urgency"])]},
		{"type", text(got["type"]), typeOf[text(c["category"])]},
		{"requester_id", text(got["requester_id"]), requester},
		{"submitter_id", text(got["submitter_id"]), submitter},
		{"organization_id", text(got["organization_id"]), a.company[text(c["company_no"])]},
		{"created_at", text(got["created_at"]), text(c["opened"])},
		{"updated_at", text(got["updated_at"]), text(c["touched"])},
		{"solved_at", text(object(a.t, got["metric_set"])["solved_at"]), text(c["answered"])},
		{"product", customField(a.t, got, "360500000001"), text(c["product"])},
		{"order number", customField(a.t, got, "360500000002"), text(c["order_no"])},
	} {
		if field.got != field.want {
			a.t.Errorf("ticket %s: %s is %q, want %q", no, field.name, field.got, field.want)
		}
	}
	if requester == "" || submitter == "" {
		a.t.Errorf("ticket %s: its requester or submitter is not in the account", no)
	}
	a.wantTags(no, got, c)
	a.wantComments(no, objects(a.t, got["comments"]), objects(a.t, c["messages"]))
}

func customField(t testing.TB, ticket map[string]any, id string) string {
	t.Helper()
	for _, f := range objects(t, ticket["custom_fields"]) {
		if text(f["id"]) == id {
			return text(f["value"])
		}
	}
	return ""
}

func (a arrived) wantTags(no string, got, c map[string]any) {
	a.t.Helper()
	want := append(words(c["tags"]), "farewell", "channel_"+channelOf[text(c["channel"])])
	var rest []string
	for _, tag := range words(got["tags"]) {
		if i := slices.Index(want, tag); i >= 0 {
			want = slices.Delete(want, i, i+1)
		} else {
			rest = append(rest, tag)
		}
	}
	if len(want) > 0 || len(rest) != 1 || !strings.HasPrefix(rest[0], "farewell_tickets-") {
		a.t.Errorf("ticket %s: tags are missing: %q; further than its own: %q, want one of its partition", no, want, rest)
	}
}

func words(v any) []string {
	list, _ := v.([]any)
	var all []string
	for _, w := range list {
		all = append(all, text(w))
	}
	return all
}

// inOrder are tags in alphabetical order, as Zendesk shows them.
func inOrder(v any) string {
	all := words(v)
	slices.Sort(all)
	return strings.Join(all, " ")
}

// bodyLimit is what Zendesk takes: a longer message arrives in pieces.
const bodyLimit = 65_000

func (a arrived) wantComments(no string, got, want []map[string]any) {
	a.t.Helper()
	for i, m := range want {
		where := fmt.Sprintf("ticket %s, comment %d of %d", no, i+1, len(want))
		if len(got) == 0 {
			a.t.Errorf("%s is not there", where)
			return
		}
		body := bodyOf(got[0], m)
		for _, field := range []struct{ name, got, want string }{
			{"author_id", text(got[0]["author_id"]), a.person[text(m["sent_by"])]},
			{"public", text(got[0]["public"]), fmt.Sprint(m["internal"] != true)},
			{"created_at", text(got[0]["created_at"]), text(m["sent"])},
		} {
			if field.got != field.want {
				a.t.Errorf("%s: %s is %q, want %q", where, field.name, field.got, field.want)
			}
		}
		a.wantFiles(where, objects(a.t, got[0]["attachments"]), objects(a.t, m["files"]))
		got = got[1:]
		for content := text(m["content"]); len(content) > bodyLimit && len(body) < len(content) && len(got) > 0; got = got[1:] {
			body += bodyOf(got[0], m)
		}
		if want := contentOf(m); body != want {
			a.t.Errorf("%s: the body is %.400q, want %.400q", where, body, want)
		}
	}
	if len(got) > 0 {
		a.t.Errorf("ticket %s: %d comments too many", no, len(got))
	}
}

// wantFiles compares the attachments of a comment, byte by byte, with the files
// of its message.
func (a arrived) wantFiles(where string, got, want []map[string]any) {
	a.t.Helper()
	if len(got) != len(want) {
		a.t.Errorf("%s: %d attachments, want %d", where, len(got), len(want))
		return
	}
	for i, f := range want {
		if name := text(got[i]["file_name"]); name != text(f["name"]) {
			a.t.Errorf("%s: attachment %d is called %q, want %q", where, i+1, name, f["name"])
		}
		if content := samplecrm.FileContent(int64(number(a.t, f["no"]))); !bytes.Equal(download(a.t, text(got[i]["content_url"])), content) {
			a.t.Errorf("%s: attachment %d is not the %d bytes of file %s", where, i+1, len(content), text(f["no"]))
		}
	}
}

func download(t testing.TB, url string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", url, response.Status, err)
	}
	return content
}

// contentOf is a message's text as it must arrive: Zendesk takes no blank one.
func contentOf(message map[string]any) string {
	content := text(message["content"])
	if strings.TrimSpace(content) == "" {
		return "(no text)"
	}
	return content
}

// bodyOf is a comment's text as it was sent.
func bodyOf(comment, message map[string]any) string {
	if text(message["markup"]) != "html" || strings.TrimSpace(text(message["content"])) == "" {
		return text(comment["body"])
	}
	body := strings.TrimPrefix(text(comment["html_body"]), `<div class="zd-comment" dir="auto">`)
	return strings.TrimSuffix(body, "</div>")
}

// wantPeople: everybody is there once, with what the CRM knows about them.
// Whoever was in the account before, by e-mail, is left as they were.
func (a arrived) wantPeople(people []map[string]any) {
	a.t.Helper()
	byID := map[string]map[string]any{}
	ours := 0
	for _, u := range a.users {
		byID[text(u["id"])] = u
		if id := text(u["external_id"]); strings.HasPrefix(id, "farewell-") && id != "farewell-unknown-person" {
			ours++
		}
	}
	companies := map[string][]string{} // of a user: of all registrations of one address
	for _, p := range people {
		user := a.person[text(p["person_no"])]
		companies[user] = append(companies[user], a.companiesOf(p)...)
	}
	brought := map[string]bool{}
	for _, p := range people {
		no := text(p["person_no"])
		u := byID[a.person[no]]
		if u == nil {
			a.t.Errorf("person %s is not there", no)
			continue
		}
		if text(u["external_id"]) != "farewell-"+no {
			continue // another registration of the same e-mail address, or there before
		}
		brought[no] = true
		for _, field := range []struct{ name, got, want string }{
			{"name", text(u["name"]), text(p["name"])},
			{"email", strings.ToLower(text(u["email"])), text(p["mail"])},
			{"phone", text(u["phone"]), text(p["phone"])},
			{"role", text(u["role"]), "end-user"},
			{"organization_id", text(u["organization_id"]), a.company[text(p["company_no"])]},
			{"tags", inOrder(u["tags"]), inOrder(p["labels"])},
			{"time_zone", text(u["time_zone"]), cmp.Or(text(p["zone"]), "UTC")},
			{"locale", text(u["locale"]), cmp.Or(text(p["language"]), "en-US")},
			{"suspended", text(u["suspended"]), text(p["banned"])},
			{"user_fields", fields(u["user_fields"]), fields(p["attributes"])},
			{"identities", identities(a.t, u), furtherOf(p)},
			{"organizations", inOrder(u["organization_ids"]), distinct(companies[a.person[no]])},
		} {
			if field.got != field.want {
				a.t.Errorf("person %s: %s is %q, want %q", no, field.name, field.got, field.want)
			}
		}
	}
	if ours != len(brought) {
		a.t.Errorf("%d users carry our external ids, want %d", ours, len(brought))
	}
}

func (a arrived) wantOrganizations(companies []map[string]any) {
	a.t.Helper()
	byID := map[string]map[string]any{}
	for _, o := range a.organizations {
		byID[text(o["id"])] = o
	}
	for _, c := range companies {
		no := text(c["company_no"])
		o := byID[a.company[no]]
		for _, field := range []struct{ name, got, want string }{
			{"name", text(o["name"]), text(c["title"])},
			{"details", text(o["details"]), text(c["about"])},
			{"notes", text(o["notes"]), text(c["memo"])},
			{"tags", inOrder(o["tags"]), inOrder(c["labels"])},
			{"organization_fields", fields(o["organization_fields"]), fields(c["attributes"])},
		} {
			if field.got != field.want {
				a.t.Errorf("organization %s: %s is %q, want %q", no, field.name, field.got, field.want)
			}
		}
	}
	if len(a.company) != len(companies) {
		a.t.Errorf("%d organizations carry our external ids, want %d", len(a.company), len(companies))
	}
}

// fields are an object as text, the empty one where there is none.
func fields(v any) string {
	object, _ := v.(map[string]any)
	if object == nil {
		object = map[string]any{}
	}
	return fmt.Sprint(object) // in the order of the keys
}

// identities are a user's further addresses and numbers.
func identities(t testing.TB, u map[string]any) string {
	var further []string
	for _, i := range objects(t, u["identities"]) {
		if value := text(i["value"]); value != text(u["email"]) && value != text(u["phone"]) {
			further = append(further, text(i["type"])+" "+value)
		}
	}
	slices.Sort(further)
	return strings.Join(further, ", ")
}

func furtherOf(person map[string]any) string {
	var further []string
	for _, mail := range words(person["more_mails"]) {
		further = append(further, "email "+mail)
	}
	for _, phone := range words(person["more_phones"]) {
		further = append(further, "phone_number "+phone)
	}
	slices.Sort(further)
	return strings.Join(further, ", ")
}

// distinct are the words once each, in alphabetical order.
func distinct(words []string) string {
	slices.Sort(words)
	return strings.Join(slices.Compact(words), " ")
}

// companiesOf are the ids in the account of all companies of a person.
func (a arrived) companiesOf(person map[string]any) []string {
	var of []string
	for _, no := range append([]string{text(person["company_no"])}, words(person["also_at"])...) {
		if no != "" {
			of = append(of, a.company[no])
		}
	}
	return of
}
