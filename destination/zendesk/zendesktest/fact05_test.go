package zendesktest_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestFact05DefaultsOfATicket(t *testing.T) {
	t.Parallel()
	z := newAccount(t, nil)
	me := whole(z.get("users/me").at("user", "id"))
	customer := z.user(object{"name": "Customer", "email": z.mail("c")})
	agent := whole(z.get("users?role[]=agent&role[]=admin").at("users", 0, "id"))
	text := []object{{"value": "c"}}
	for _, row := range []struct {
		name   string
		ticket object
		want   object
	}{
		{"requester is the authenticated user", object{"comments": text}, object{"requester_id": me, "submitter_id": me, "status": "new", "subject": nil, "external_id": nil}},
		{"submitter is the requester", object{"comments": text, "requester_id": customer}, object{"requester_id": customer, "submitter_id": customer}},
		{"new becomes open with an assignee", object{"comments": text, "assignee_id": agent, "status": "new"}, object{"status": "open", "assignee_id": agent}},
		{"open by itself with an assignee", object{"comments": text, "assignee_id": agent}, object{"status": "open"}},
		{"closed stays closed", object{"comments": text, "assignee_id": agent, "status": "closed"}, object{"status": "closed"}},
		{"times are moved up to 1970", object{"comments": text, "created_at": "1960-01-01T00:00:00Z", "updated_at": "1961-01-01T00:00:00Z"}, object{"created_at": "1970-01-01T00:00:00Z", "updated_at": "1970-01-01T00:00:00Z"}},
		{"times become UTC, without fractions", object{"comments": text, "created_at": "2007-10-28 23:11:46 +0100", "updated_at": "2007-10-29T01:02:03.987+02:00"}, object{"created_at": "2007-10-28T22:11:46Z", "updated_at": "2007-10-28T23:02:03Z"}},
		{"updated_at of a ticket of one comment", object{"comments": text, "created_at": "2010-01-01T00:00:00Z"}, object{"updated_at": "2010-01-01T00:00:00Z"}},
		{"tags are sorted, in lower case, each once", object{"comments": text, "tags": []string{"tag1", "B", "tag2", "a c", "b"}}, object{"tags": []string{"a", "b", "c", "tag1", "tag2"}}},
		{"ids may be strings", object{"comments": text, "requester_id": itoa(int(customer))}, object{"requester_id": customer}},
		{"subjects are cut", object{"comments": text, "subject": strings.Repeat("ü", 300)}, object{"subject": strings.Repeat("ü", 255)}},
		{"description is the first comment's text", object{"comments": text}, object{"description": "c"}},
		{"private only", object{"comments": []object{{"value": "c", "public": false}}}, object{"is_public": false}},
		{"public when a later comment is", object{"comments": []object{{"value": "c", "public": false}, {"value": "d"}}}, object{"is_public": true}},
	} {
		t.Run(row.name, func(t *testing.T) {
			stored, _ := z.importOne(row.ticket)
			for key, want := range row.want {
				if key == "status" && want == "new" && stored["assignee_id"] != nil {
					want = "open" // an account's only agent is assigned to everything
				}
				equal(t, key, stored[key], want)
			}
		})
	}
}

func TestFact05UpdatedAtOfSeveralCommentsIsTheImport(t *testing.T) {
	t.Parallel()
	z := newAccount(t, nil)
	stored, _ := z.importOne(object{"created_at": "2010-01-01T00:00:00Z", "comments": []object{comment("a", "2010-01-01T00:00:00Z"), comment("b", "2010-01-02T00:00:00Z")}})
	isNow(t, stored["updated_at"])
}

func isNow(t *testing.T, value any) {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text(value))
	if err != nil || time.Since(at) > time.Minute || time.Since(at) < -time.Second {
		t.Errorf("%v is not now", value)
	}
}

func TestFact05DefaultsOfComments(t *testing.T) {
	t.Parallel()
	z := newAccount(t, nil)
	me := whole(z.get("users/me").at("user", "id"))
	customer := z.user(object{"name": "Customer"})
	_, comments := z.importOne(object{
		"requester_id": customer, "created_at": "2015-05-05T05:05:05Z",
		"comments": []object{
			{"body": "early", "created_at": "2015-01-01T00:00:00Z"},
			{"html_body": "<p>One &amp; <b>two</b></p><p>three</p>", "created_at": "2016-01-01T00:00:00.999Z", "public": false},
			{"value": "undated"},
		},
	})
	equal(t, "number of comments", len(comments), 3)
	equal(t, "author of the first", at(comments, 0, "author_id"), customer)
	equal(t, "author of a later one", at(comments, 1, "author_id"), me)
	equal(t, "a date before the ticket's", at(comments, 0, "created_at"), "2015-05-05T05:05:05Z")
	equal(t, "a date with milliseconds", at(comments, 1, "created_at"), "2016-01-01T00:00:00Z")
	isNow(t, at(comments, 2, "created_at"))
	equal(t, "public by default", at(comments, 0, "public"), true)
	equal(t, "private", at(comments, 1, "public"), false)
	equal(t, "HTML as text", at(comments, 1, "body"), "One & two\nthree")
}

func TestFact05CommentsOfOneSecondComeInAnotherOrder(t *testing.T) {
	t.Parallel()
	const when = "2015-05-05T05:05:05Z"
	stored, comments := newAccount(t, nil).importOne(object{"created_at": when, "comments": []object{comment("1", when), comment("2", when), comment("3", when)}})
	equal(t, "description", stored["description"], "1")
	if text(at(comments, 0, "body")) == "1" {
		t.Error("comments of the same second come in the order in which they were sent")
	}
}

func TestFact05DescriptionIsACommentBeforeTheOthers(t *testing.T) {
	t.Parallel()
	z := newAccount(t, nil)
	_, comments := z.importOne(object{"description": "described", "created_at": "2015-01-01T00:00:00Z", "comments": []object{comment("c", "2016-01-01T00:00:00Z")}})
	equal(t, "comments", []any{at(comments, 0, "body"), at(comments, 1, "body")}, []any{"described", "c"})
	_, comments = z.importOne(object{"description": "alone"})
	equal(t, "comments", len(comments), 1)
}

func TestFact05RefusedTickets(t *testing.T) {
	t.Parallel()
	z := asIs(t, object{"poison": object{"marker": "venom"}, "ticket_fields": []object{{"id": 7, "type": "tagger", "title": "Plan", "custom_field_options": []object{{"name": "Gold", "value": "plan_gold"}}}}})
	suspended := z.user(object{"name": "Sus Pended", "suspended": true})
	organization := z.post("organizations", object{"organization": object{"name": z.own("O")}}).is(t, 201).at("organization", "id")
	ok := []object{{"value": "c"}}
	with := func(key string, value any) object { return object{"comments": ok, key: value} }
	for _, row := range []struct {
		name, details, field, code string
		ticket                     object
	}{
		{"no comment", "Description: cannot be blank", "base", "BlankValue", object{"subject": "s"}},
		{"blank first comment", "Description: cannot be blank", "base", "BlankValue", object{"comments": []object{{"value": " \n"}}}},
		{"blank later comment", "Comment: cannot be blank", "comment", "BlankValue", object{"comments": []object{{"value": "c"}, {"value": ""}}}},
		{"long comment", "Description: is too long (maximum is 65535 bytes)", "base", "TooLong", object{"comments": []object{{"value": strings.Repeat("é", 32768)}}}},
		{"too many comments", "Comments: cannot be more than 5000", "comments", "TooManyValues", object{"comments": many(5001, func(int) object { return object{"value": "c"} })}},
		{"comment in the future", "Comment created at: is invalid", "comment", "InvalidValue", object{"comments": []object{comment("c", "2999-01-01T00:00:00Z")}}},
		{"comment before 1970", "Comment created at: is invalid", "comment", "InvalidValue", object{"comments": []object{comment("c", "1969-01-01T00:00:00Z")}}},
		{"comment with NUL", "Comment: is invalid", "comment", "InvalidValue", object{"comments": []object{{"value": "a\x00b"}}}},
		{"unknown requester", "Requester: is invalid", "requester", "InvalidValue", with("requester_id", 42)},
		{"suspended requester", "Requester: Sus Pended is suspended.", "requester", "UserSuspended", with("requester_id", suspended)},
		{"unknown author", "Author: is invalid", "author", "InvalidValue", object{"comments": []object{{"value": "c", "author_id": 42}}}},
		{"suspended author", "Author: Sus Pended is suspended.", "author", "UserSuspended", object{"comments": []object{{"value": "c", "author_id": suspended}}}},
		{"assignee who is no agent", "Assignee: is invalid", "assignee", "InvalidValue", with("assignee_id", z.user(object{"name": "End User"}))},
		{"unknown group", "Group: is invalid", "group", "InvalidValue", with("group_id", 42)},
		{"unknown brand", "Brand: is invalid", "brand", "InvalidValue", with("brand_id", 42)},
		{"organization that is not the requester's", "Organization: is invalid", "organization", "InvalidValue", with("organization_id", organization)},
		{"unknown status", "Status: is invalid", "status", "InvalidValue", with("status", "solvedd")},
		{"date that is none", "Created at: is invalid", "created_at", "InvalidValue", with("created_at", "yesterday")},
		{"option that the drop-down does not have", "Plan: is invalid", "base", "InvalidValue", with("custom_fields", []object{{"id": 7, "value": "plan_lead"}})},
		{"too many CCs", "Collaborators: cannot be more than 48", "collaborators", "TooManyValues", with("collaborator_ids", make([]int, 49))},
		{"poison in the subject", "Subject: is invalid", "subject", "InvalidValue", with("subject", "some venom here")},
		{"poison as a tag", "Subject: is invalid", "subject", "InvalidValue", with("tags", []string{"venom"})},
	} {
		t.Run(row.name, func(t *testing.T) {
			if strings.Contains(row.name, "poison") || strings.Contains(row.name, "drop-down") {
				sandboxOnly(t, "it needs the sandbox's poison and fields")
			}
			details, single := z.refused(row.ticket)
			equal(t, "error", single.at("error"), "RecordInvalid")
			if z.real() && row.code != "BlankValue" && row.code != "UserSuspended" {
				return // of what else it says, nothing is known
			}
			equal(t, "details", details, row.details)
			equal(t, "description", single.at("details", row.field, 0, "description"), row.details)
			equal(t, "code", single.at("details", row.field, 0, "error"), row.code)
		})
	}
	z.counted("tickets", 0)
}

func TestFact05BlankDescriptionNamesItsField(t *testing.T) {
	t.Parallel()
	_, single := newAccount(t, nil).refused(object{"subject": "s"})
	equal(t, "ticket_field_type", single.at("details", "base", 0, "ticket_field_type"), "FieldDescription")
}

func TestFact05RefusedRequests(t *testing.T) {
	t.Parallel()
	z := asIs(t, object{"max_body_bytes": 100_000})
	for _, row := range []struct {
		name   string
		body   any
		status int
	}{
		{"more than 100", object{"tickets": many(101, func(int) object { return simple("") })}, 400},
		{"none", object{"tickets": []object{}}, 400},
		{"no tickets key", object{}, 400},
		{"no JSON", `{"tickets":[`, 400},
		{"invalid UTF-8", "{\"tickets\":[{\"comments\":[{\"value\":\"\x80\"}]}]}", 400},
		{"half a surrogate pair", `{"tickets":[{"comments":[{"value":"\ud83d"}]}]}`, 400},
		{"too large", object{"tickets": []object{{"description": strings.Repeat("x", 100_000)}}}, 413},
	} {
		t.Run(row.name, func(t *testing.T) {
			if row.status == 413 {
				sandboxOnly(t, "nobody knows the limit")
			}
			z.post("imports/tickets/create_many", row.body).is(t, row.status)
		})
	}
	z.counted("jobs", 0)
	r := z.post("imports/tickets/create_many", object{"tickets": many(101, func(int) object { return object{} })})
	equal(t, "body", r.text, `{"error":"TooManyValues","description":"Parameter  cannot specify more than 100 values","max_count":100}`)
	z.call("POST", "imports/tickets/create_many", `{"tickets":[{}]}`, "Content-Type", "text/plain").is(t, 415)
}

func TestFact05UnknownKeysAreDroppedAndNamed(t *testing.T) {
	t.Parallel()
	z := newAccount(t, nil)
	ticket := simple(z.own("a"))
	ticket["colour"] = object{"red": []int{1, 2}}
	r := z.post("imports/tickets/create_many", object{"tickets": []object{ticket}}).is(t, 200)
	contains(t, "x-zendesk-api-warn", r.header.Get("x-zendesk-api-warn"), "ticket.colour")
	z.job(r)
	equal(t, "tickets", z.tickets(z.own("a")), 1)
	r = z.post("imports/tickets/create_many", object{"tickets": []object{simple("b")}})
	equal(t, "x-zendesk-api-warn", r.header.Get("x-zendesk-api-warn"), "")
}

func TestFact05ExternalIDsMayRepeatAndIdempotencyKeysDoNothing(t *testing.T) {
	t.Parallel()
	z := newAccount(t, nil)
	for range 3 {
		r := z.call("POST", "imports/tickets/create_many", object{"tickets": []object{simple(z.own("same"))}}, "Idempotency-Key", z.own("k")).is(t, 200)
		equal(t, "x-idempotency-lookup", r.header.Get("x-idempotency-lookup"), "")
		z.job(r)
	}
	equal(t, "tickets found", z.tickets(z.own("same")), 3)
	z.counted("duplicate_external_ids", object{"tickets": 2, "users": 0, "organizations": 0})
}

func TestFact05CustomFields(t *testing.T) {
	t.Parallel()
	z := newAccount(t, object{"ticket_fields": []object{
		{"id": 7, "type": "tagger", "title": "Plan", "custom_field_options": []object{{"name": "Gold", "value": "plan_gold"}}},
		{"id": 8, "type": "text", "title": "Note"},
		{"id": 9, "type": "integer", "title": "Seats"},
	}})
	ticket := simple("a")
	ticket["tags"] = []string{"z"}
	ticket["custom_fields"] = []object{{"id": 7, "value": "plan_gold"}, {"id": 9, "value": 12}, {"id": 1234, "value": "no such field"}}
	stored, _ := z.importOne(ticket)
	equal(t, "custom_fields", stored["custom_fields"], []object{{"id": 7, "value": "plan_gold"}, {"id": 8, "value": nil}, {"id": 9, "value": 12}})
	equal(t, "tags", stored["tags"], []string{"plan_gold", "z"})
}

func TestFact05OptionOfADropDownIsATagToo(t *testing.T) {
	t.Parallel()
	z := asIs(t, object{"ticket_fields": []object{{"id": 7, "type": "tagger", "title": "Plan", "custom_field_options": []object{{"name": "Gold", "value": "plan_gold"}}}}})
	var field, option any
	for _, f := range z.get("ticket_fields").is(t, 200).list("ticket_fields") {
		if value := at(f, "custom_field_options", 0, "value"); at(f, "type") == "tagger" && value != nil {
			field, option = at(f, "id"), value
		}
	}
	if field == nil {
		lacking(t, "it has no drop-down field")
	}
	ticket := simple("a")
	ticket["custom_fields"] = []object{{"id": field, "value": option}}
	stored, _ := z.importOne(ticket)
	tags, _ := stored["tags"].([]any)
	if !slices.Contains(tags, option) {
		t.Errorf("the tags are %v, without %v", tags, option)
	}
	values, _ := stored["custom_fields"].([]any)
	if !slices.ContainsFunc(values, func(v any) bool { return at(v, "id") == field && at(v, "value") == option }) {
		t.Errorf("the custom fields are %v", values)
	}
}

func TestFact05SingleImportAnswers201WithLocation(t *testing.T) {
	t.Parallel()
	z := newAccount(t, nil)
	r := z.post("imports/tickets.json", object{"ticket": simple("a")}).is(t, 201)
	contains(t, "Location", r.header.Get("Location"), "/api/v2/tickets/"+itoa(whole(r.at("ticket", "id"))))
}

func TestFact05SolvedAtIsKept(t *testing.T) {
	t.Parallel()
	z := newAccount(t, nil)
	ticket := simple("a")
	ticket["solved_at"] = "2020-02-02T02:02:02Z"
	stored, _ := z.importOne(ticket)
	r := z.get("tickets/" + itoa(whole(stored["id"])) + "/metrics")
	equal(t, "solved_at", r.at("ticket_metric", "solved_at"), "2020-02-02T02:02:02Z")
}

func TestFact05InlineRequesterCollides(t *testing.T) {
	t.Parallel()
	z := newAccount(t, nil)
	body := object{"ticket": object{"comments": []object{{"value": "c"}}, "requester": object{"name": "New", "email": "new@x.example"}}}
	// The first request is on its way (its headers have arrived) when a second one creates the requester.
	slow := z.slowPost("imports/tickets", body)
	until(t, "the slow request to arrive", slow.arrived)
	z.post("imports/tickets", body).is(t, 201)
	r := slow.finish()
	r.is(t, 409)
	contains(t, "Content-Type", r.header.Get("Content-Type"), "text/plain")
	equal(t, "body", r.text, "Requester creation collision - please try again")
	z.post("imports/tickets", body).is(t, 201)
	equal(t, "users", z.stats()["users"], 3)
}

func TestFact05PoisonBatchFailsAsAWhole(t *testing.T) {
	t.Parallel()
	z := newAccount(t, object{"poison": object{"marker": "venom", "whole_batch": true}})
	bad := simple("bad")
	bad["subject"] = "venom"
	job := z.importMany(simple("a"), bad)
	equal(t, "status", job["status"], "failed")
	equal(t, "results", job["results"], nil)
	equal(t, "tickets", z.stats()["tickets"], 0)
	equal(t, "status of the others", z.importMany(simple("a"))["status"], "completed")
	z.post("imports/tickets", object{"ticket": bad}).is(t, http.StatusUnprocessableEntity)
}

func TestFact05OnlyAdminsImport(t *testing.T) {
	t.Parallel()
	sandboxOnly(t, "it needs an agent's credentials")
	z := newAccount(t, nil)
	z.token += "-agent"
	z.post("imports/tickets/create_many", object{"tickets": []object{simple("a")}}).is(t, 403)
	z.get("job_statuses").is(t, 200)
}
