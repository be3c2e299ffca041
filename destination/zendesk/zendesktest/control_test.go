package zendesktest_test

import (
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"farewell/destination/zendesk/zendesktest"
)

func TestSettingsAreChangedInPart(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	first := s.control("PUT", "accounts/acme/settings", object{}).is(t, 200).body
	equal(t, "defaults", []any{first["plan_per_minute"], first["seconds_per_ticket"], first["time_scale"], first["bulk_users"], first["job_limit"]}, []any{700, 0.15, 1, false, 30})
	equal(t, "token", first["token"], "sandbox-acme")
	equal(t, "url", first["url"], s.url+"/accounts/acme")
	s.control("PUT", "accounts/acme/settings", object{"plan_per_minute": 5, "faults": []object{{"kind": "slow", "skip": 9, "count": 3, "delay_seconds": 1}}}).is(t, 200)
	changed := s.control("PUT", "accounts/acme/settings", object{"bulk_users": true, "faults": []object{{"kind": "conflict"}}}).body
	equal(t, "plan", changed["plan_per_minute"], 5)
	equal(t, "faults", changed["faults"], []object{{"kind": "conflict"}})
}

func TestBadSettingsAreRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, bad := range []object{
		{"plan": 5}, {"plan_per_minute": 0}, {"time_scale": 0}, {"time_scale": -1}, {"language": "xx"}, {"rate_limit_body": "xml"}, {"edge_status": 200},
		{"too_many_jobs_status": 500}, {"faults": []object{{"kind": "earthquake"}}}, {"faults": []object{{"kind": "slow", "probability": 2}}},
		{"faults": []object{{"kind": "slow", "on": "nowhere"}}}, {"groups": []object{{"name": "no id"}}}, {"seconds_per_ticket": -1},
	} {
		r := s.control("PUT", "accounts/acme/settings", bad).is(t, 400)
		if text(r.at("error")) == "" {
			t.Errorf("%v is refused without a reason", bad)
		}
	}
	s.control("PUT", "accounts/Bad.Name/settings", object{}).is(t, 400)
	s.control("GET", "accounts/acme/settings", nil).is(t, 404)
}

func TestStatsShowArrivals(t *testing.T) {
	t.Parallel()
	z := newAccount(t, nil)
	before := time.Now().UnixMilli()
	z.get("users/me.json")
	z.get("tickets/5").is(t, 404)
	if z.stats()["arrivals"] != nil {
		t.Error("arrivals are shown unasked")
	}
	arrivals := z.site.control("GET", "accounts/acme/stats?arrivals=0", nil).list("arrivals")
	equal(t, "endpoints", []any{at(arrivals, 0, "endpoint"), at(arrivals, 1, "endpoint")}, []any{"GET /api/v2/users/me", "GET /api/v2/tickets/{id}"})
	equal(t, "status", at(arrivals, 1, "status"), 404)
	if when := int64(whole(at(arrivals, 0, "at"))); when < before || when > time.Now().UnixMilli() {
		t.Errorf("arrived at %d", when)
	}
	equal(t, "arrivals since", len(z.site.control("GET", "stats?arrivals=9999999999999", nil).list("arrivals")), 0)
	equal(t, "requests_by_endpoint", z.stats()["requests_by_endpoint"], object{"GET /api/v2/tickets/{id}": 1, "GET /api/v2/users/me": 1})
	equal(t, "answers", z.stats()["answers"], object{"200": 1, "404": 1})
}

func TestDumpsShowRecordsAsZendeskDoes(t *testing.T) {
	t.Parallel()
	z := newAccount(t, nil)
	z.importMany(many(100, func(i int) object { return simple("t" + itoa(i)) })...)
	z.user(object{"name": "A", "email": "a@x.example"})
	z.post("organizations", object{"organization": object{"name": "O"}})
	lines := strings.Split(strings.TrimSpace(z.site.dump("accounts/acme/tickets.ndjson")), "\n")
	equal(t, "tickets", len(lines), 100)
	for _, line := range lines {
		var dumped object
		if err := json.Unmarshal([]byte(line), &dumped); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		equal(t, "comments", at(dumped["comments"], 0, "body"), "c")
		delete(dumped, "comments")
		delete(dumped, "metric_set")
		equal(t, "ticket", dumped, z.get("tickets/"+itoa(whole(dumped["id"]))).at("ticket"))
	}
	equal(t, "users", strings.Count(z.site.dump("accounts/acme/users.ndjson"), "\n"), 3)
	equal(t, "organizations", strings.Count(z.site.dump("accounts/acme/organizations.ndjson"), "\n"), 1)
}

func TestListsAreShownAsConfigured(t *testing.T) {
	t.Parallel()
	z := newAccount(t, nil)
	for path, want := range map[string]int{"ticket_fields": 7, "user_fields": 0, "organization_fields": 0, "groups": 1, "brands": 1} {
		equal(t, path, len(z.get(path+".json").is(t, 200).list(path)), want)
	}
	z.configure(object{"groups": []object{{"id": 11, "name": "A"}, {"id": 12, "name": "B"}}, "user_fields": []object{{"id": 1, "key": "plan"}}})
	equal(t, "groups", at(z.get("groups").list("groups"), 1), object{"id": 12, "name": "B"})
	equal(t, "user_fields", len(z.get("user_fields").list("user_fields")), 1)
	field := at(z.get("user_fields").list("user_fields"), 0)
	equal(t, "a field's standard attributes", []any{at(field, "key"), at(field, "active")}, []any{"plan", true})
	if z.get("account/settings.json").at("settings", "limits", "attachment_size") == nil {
		t.Error("account/settings has no attachment_size")
	}
}

// Lists of the configuration come in pages of 100 at most, but for ticket fields, which come all at once to whoever asks
// for no page (https://developer.zendesk.com/api-reference/ticketing/tickets/ticket_fields/#list-ticket-fields).
func TestConfiguredListsComeInPages(t *testing.T) {
	t.Parallel()
	var many []object
	for i := range 130 {
		many = append(many, object{"id": 1000 + i, "key": "k" + strconv.Itoa(i), "type": "text", "title": "Field " + strconv.Itoa(i), "name": "N"})
	}
	z := newAccount(t, object{"ticket_fields": many, "user_fields": many, "organization_fields": many, "groups": many, "brands": many})
	for _, path := range []string{"user_fields", "organization_fields", "groups", "brands", "ticket_fields"} {
		first := z.get(path+"?page[size]=100").is(t, 200)
		equal(t, path+" of the first page", len(first.list(path)), 100)
		equal(t, path+" has more", first.at("meta", "has_more"), true)
		second := z.get(path+"?page[size]=100&page[after]="+url.QueryEscape(first.at("meta", "after_cursor").(string))).is(t, 200)
		want := 30
		if path == "ticket_fields" {
			want += 7
		}
		equal(t, path+" of the second page", len(second.list(path)), want)
		equal(t, path+" has no more", second.at("meta", "has_more"), false)
	}
	equal(t, "ticket fields without pages", len(z.get("ticket_fields").list("ticket_fields")), 137)
	equal(t, "groups without pages", len(z.get("groups").list("groups")), 100)
}

func TestAccountsAreApart(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	a, b := s.account("a", nil), s.account("b", nil)
	a.importMany(simple("x"))
	equal(t, "tickets of the other", b.stats()["tickets"], 0)
	b.token = "sandbox-a"
	b.get("users/me").is(t, 401)
	equal(t, "tickets of all", s.control("GET", "stats", nil).body["tickets"], 1)
	equal(t, "accounts", s.control("GET", "accounts", nil).body["accounts"], []string{"a", "b"})
}

func TestCreateAccountTakesMapsAndSettings(t *testing.T) {
	t.Parallel()
	fake, err := zendesktest.New(zendesktest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, fake)
	for _, settings := range []any{nil, object{"bulk_users": true}, map[string]bool{"bulk_users": false}} {
		if err := fake.CreateAccount("acme", settings); err != nil {
			t.Fatal(err)
		}
	}
	if err := fake.CreateAccount("acme", object{"nonsense": 1}); err == nil {
		t.Error("unknown settings are taken")
	}
	equal(t, "plan", s.control("GET", "accounts/acme/settings", nil).body["plan_per_minute"], 700)
}
