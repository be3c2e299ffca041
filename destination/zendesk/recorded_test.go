package zendesk_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"farewell/destination"
	"farewell/destination/zendesk"
	"farewell/migration"
)

// recorded is an answer as public recordings of Zendesk have it, among them
// those of https://github.com/facetoe/zenpy, zendesk/zendesk_api_client_rb,
// blakmatrix/node-zendesk, moltenform/visual-mock-zendesk-api,
// TEAMSchools/teamster, and issues of cloudbees-oss/zendesk-java-client (98),
// mozilla/sumo (2670) and zendesk/zendesk_api_client_php (306).
type recorded struct {
	status int
	form   string // content type
	body   string
}

const (
	jsonForm = "application/json; charset=utf-8"
	textForm = "text/plain; charset=utf-8"
	queued   = `{"job_status":{"id":"V3-ca23ab","url":"https://other.zendesk.com/api/v2/job_statuses/V3-ca23ab.json","total":null,"progress":null,"status":"queued","message":null,"results":null}}`
)

// replay serves recorded answers by method and path, those of look-ups once
// something was posted; everything else finds nobody and nothing.
func replay(t *testing.T, answers map[string]recorded) *zendesk.Account {
	t.Helper()
	var posted atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // a cut request ends in the client's own error
		answer, ok := answers[r.Method+" "+r.URL.Path]
		if r.Method == http.MethodPost {
			posted.Store(true)
		}
		if !ok || !posted.Load() && r.URL.Path != "/api/v2/users/me" {
			answer = recorded{http.StatusOK, jsonForm, `{"users":[],"organizations":[],"tickets":[],"job_statuses":[],"count":0,"next_page":null}`}
		}
		w.Header().Set("X-Request-Id", "r1")
		w.Header().Set("Content-Type", answer.form)
		w.WriteHeader(answer.status)
		_, _ = io.WriteString(w, answer.body)
	}))
	t.Cleanup(server.Close)
	return open(t, zendesk.Options{Timings: timings(), Account: destination.Account{
		Name: "recorded", URL: server.URL, PlanPerMinute: 1_000_000, Auth: zendesk.AuthBearer,
		Secret: func() (string, error) { return "token", nil },
	}})
}

// ended is a job's final answer to the poll for all jobs.
func ended(status, results string) recorded {
	return recorded{http.StatusOK, jsonForm, fmt.Sprintf(
		`{"job_statuses":[{"id":"V3-ca23ab","total":2,"progress":2,"status":%q,"message":"Completed at 2022-12-11 21:00:36 +0000","results":%s}]}`, status, results)}
}

const (
	importTickets = "POST /api/v2/imports/tickets/create_many"
	importUsers   = "POST /api/v2/users/create_many"
	importGroups  = "POST /api/v2/organizations/create_many"
	pollJobs      = "GET /api/v2/job_statuses/show_many"
)

func TestRecordedJobsAreUnderstood(t *testing.T) {
	t.Parallel()
	accepted := recorded{http.StatusOK, jsonForm, queued}
	for name, c := range map[string]struct {
		entity migration.Entity
		post   recorded
		poll   recorded
		more   map[string]recorded
		want   string // "source=target" or "source!code", in the order of the records
		text   string // of a failed record
	}{
		"tickets by index, their ids in no order": {
			entity: migration.Tickets, post: accepted,
			poll: ended("completed", `[{"index":1,"id":18,"account_id":15745908},{"index":0,"id":20,"account_id":15745908}]`),
			want: "1=20 2=18",
		},
		"JSON as plain text": {
			entity: migration.Tickets, post: recorded{http.StatusOK, textForm, queued},
			poll: recorded{http.StatusOK, textForm, ended("completed", `[{"index":0,"id":20},{"index":1,"id":18}]`).body},
			want: "1=20 2=18",
		},
		"ids as strings": {
			entity: migration.Tickets, post: accepted,
			poll: ended("completed", `[{"index":0,"id":"20"},{"index":1,"id":"18"}]`),
			want: "1=20 2=18",
		},
		"one ticket of a job refused, without id or status": {
			entity: migration.Tickets, post: accepted,
			poll: ended("completed", `[{"index":0,"id":20},{"index":1,"error":"TicketCreateFailed","details":"Description: cannot be blank"}]`),
			want: "1=20 2!TicketCreateFailed", text: "Description: cannot be blank",
		},
		"all tickets of a job refused": {
			entity: migration.Tickets, post: accepted,
			poll: recorded{http.StatusOK, jsonForm, `{"job_statuses":[{"id":"V3-ca23ab","total":2,"progress":0,"status":"failed","message":"Failed at 2016-01-15 10:39:18 +0000",` +
				`"results":[{"index":0,"error":"TicketCreateFailed","details":"Description: cannot be blank"},{"index":1,"error":"TicketCreateFailed","details":"Description: cannot be blank"}]}]}`},
			want: "1!TicketCreateFailed 2!TicketCreateFailed",
		},
		"a refusal in the account's language": {
			entity: migration.Tickets, post: accepted,
			poll: ended("completed", `[{"index":0,"id":20},{"index":1,"error":"TicketCreateFailed","details":"Descrição: não pode ficar em branco"}]`),
			want: "1=20 2!TicketCreateFailed", text: "Descrição: não pode ficar em branco",
		},
		"users as create_or_update_many lists them: no index, and an identity for the e-mail": {
			entity: migration.Users, post: recorded{http.StatusOK, jsonForm, strings.Replace(queued, `"id"`, `"job_type":"Bulk Create User","id"`, 1)},
			poll: ended("completed", `[{"id":32149551391511,"status":"Updated","email":"somebody.else@example.com","external_id":"farewell-2"},{"id":32149551391512,"status":"Created","email":"1@example.com","external_id":"farewell-1"}]`),
			want: "1=32149551391512 2=32149551391511",
		},
		"users as create_many lists them, without their external ids": {
			entity: migration.Users, post: accepted,
			poll: ended("completed", `[{"id":7,"status":"Created"},{"id":8,"status":"Created"}]`),
			more: map[string]recorded{"GET /api/v2/users/show_many": {http.StatusOK, jsonForm, `{"users":[{"id":8,"external_id":"FAREWELL-2"},{"id":7,"external_id":"farewell-1"}],"count":2}`}},
			want: "1=7 2=8",
		},
		"an organization whose name is taken": {
			entity: migration.Organizations, post: accepted,
			poll: ended("completed", `[{"id":1,"status":"Created","external_id":"farewell-1"},{"error":"OrganizationCreateFailed","details":"Name:  X has already been taken","external_id":"farewell-2"}]`),
			want: "1=1 2!OrganizationCreateFailed", text: "Name:  X has already been taken",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answers := map[string]recorded{importTickets: c.post, importUsers: c.post, importGroups: c.post, pollJobs: c.poll,
				"GET /api/v2/users/me": {http.StatusOK, jsonForm, `{"user":{"id":"1","role":"admin"}}`}}
			for path, answer := range c.more {
				answers[path] = answer
			}
			a := replay(t, answers)
			b, parcel := prepare(t, a, c.entity, pair(c.entity))
			items := await(t, a, b, parcel)
			if got := fates(items); got != c.want {
				t.Errorf("fates %q, want %q", got, c.want)
			}
			for _, i := range items {
				if i.Outcome == migration.Failed && c.text != "" && i.Text != c.text {
					t.Errorf("text %q, want %q", i.Text, c.text)
				}
			}
		})
	}
}

func await(t *testing.T, a *zendesk.Account, b migration.Batch, parcel destination.Parcel) []migration.Item {
	t.Helper()
	receipt, err := a.Submit(within(t), b, parcel)
	if err != nil {
		t.Fatalf("submit: %v", err)
	}
	result, err := a.Await(within(t), receipt.JobID, b.Entity, b.SourceIDs)
	if err != nil {
		t.Fatalf("await: %v", err)
	}
	return result.Items
}

// pair is a page of the records "1" and "2".
func pair(e migration.Entity) migration.Page {
	switch e {
	case migration.Users:
		return migration.Page{Users: []migration.User{{ID: "1", Name: "One", Email: "1@example.com"}, {ID: "2", Name: "Two", Email: "2@example.com"}}}
	case migration.Organizations:
		return migration.Page{Organizations: []migration.Organization{{ID: "1", Name: "One"}, {ID: "2", Name: "X"}}}
	}
	page := tickets("t", 2)
	page.Tickets[0].ID, page.Tickets[1].ID = "1", "2"
	return page
}

func fates(items []migration.Item) string {
	var words []string
	for _, i := range items {
		if i.Outcome == migration.Failed {
			words = append(words, i.SourceID+"!"+i.Code)
		} else {
			words = append(words, i.SourceID+"="+i.TargetID)
		}
	}
	return strings.Join(words, " ")
}

func TestRecordedRefusalsOfOneRecordAreItsFate(t *testing.T) {
	t.Parallel()
	const invalid = `{"error":"RecordInvalid","description":"Record validation errors","details":%s}`
	for name, c := range map[string]struct{ details, code, text string }{
		"a blank description": {`{"base":[{"description":"Description: cannot be blank","error":"BlankValue","ticket_field_id":360000000001,"ticket_field_type":"FieldDescription"}]}`,
			"BlankValue", "Description: cannot be blank"},
		"the same in Portuguese": {`{"base":[{"description":"Descrição: não pode ficar em branco","error":"BlankValue"}]}`,
			"BlankValue", "Descrição: não pode ficar em branco"},
		"a required field that is missing, with a null code": {`{"base":[{"description":"Felt mangler: er påkrævet","error":null}]}`,
			"RecordInvalid", "Felt mangler: er påkrævet"},
		"a suspended requester": {`{"requester":[{"description":"Requester: Jane is suspended.","error":"UserSuspended"}]}`,
			"UserSuspended", "Requester: Jane is suspended."},
		"an e-mail address of somebody else": {`{"email":[{"description":"Email: x@example.com is already being used by another user","error":"DuplicateValue"}]}`,
			"DuplicateValue", "Email: x@example.com is already being used by another user"},
		"an identity of somebody else": {`{"value":[{"description":"Value: x@example.com is already being used by another user","error":"DuplicateValue"}]}`,
			"DuplicateValue", "Value: x@example.com is already being used by another user"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for e, path := range map[migration.Entity]string{migration.Tickets: "/api/v2/imports/tickets", migration.Users: "/api/v2/users", migration.Organizations: "/api/v2/organizations"} {
				a := replay(t, map[string]recorded{
					"POST " + path:         {http.StatusUnprocessableEntity, jsonForm, fmt.Sprintf(invalid, c.details)},
					"GET /api/v2/users/me": {http.StatusOK, textForm, `{"user":{"id":1,"role":"admin"}}`},
				})
				parcel, err := a.Prepare(within(t), destination.PrepareInput{Entity: e, Partition: "p", Page: pair(e).Slice(0, 1), Level: migration.SingleLevel, Directory: nobody})
				if err != nil {
					t.Fatalf("prepare %s: %v", e, err)
				}
				receipt, err := a.Submit(within(t), migration.Batch{ID: "b", Entity: e, SourceIDs: parcel.Sent, SendBy: time.Now().Add(20 * time.Second)}, parcel)
				if err != nil || len(receipt.Items) != 1 {
					t.Fatalf("submit %s: %+v, %v", e, receipt, err)
				}
				if got := receipt.Items[0]; got.Outcome != migration.Failed || got.Code != c.code || got.Text != c.text {
					t.Errorf("%s: %+v, want %s: %s", e, got, c.code, c.text)
				}
			}
		})
	}
}

func TestRecordedRefusalsOfABatch(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer recorded
		want   destination.Kind
		code   string
	}{
		"409 as a sentence": {recorded{http.StatusConflict, textForm, "Requester creation collision - please try again"}, destination.InDoubt, "409"},
		"more than a hundred": {recorded{http.StatusBadRequest, jsonForm, `{"error":"TooManyValues","description":"Parameter  cannot specify more than 100 values","max_count":100}`},
			destination.TooLarge, "TooManyValues"},
		"too many jobs": {recorded{http.StatusTooManyRequests, jsonForm, `{"error":"TooManyJobs","description":"Too many UserBulkUpdateJobV2 jobs are currently queued or running. Try again later.","current_job_ids":["V3-1"]}`},
			destination.Temporary, "TooManyJobs"},
		"too many jobs under another status": {recorded{http.StatusUnprocessableEntity, textForm, `{"error":"TooManyJobs","description":"Too many jobs"}`}, destination.Temporary, "TooManyJobs"},
		"a limit as a sentence in HTML's clothes": {recorded{http.StatusTooManyRequests, "text/html", "Rate limit for ticket updates exceeded, please wait before updating this ticket again"},
			destination.Temporary, "429"},
		"an error as an object":            {recorded{http.StatusForbidden, jsonForm, `{"error":{"title":"Forbidden","message":"You do not have access to this page."}}`}, destination.Credentials, "Forbidden"},
		"an error in a list":               {recorded{http.StatusUnauthorized, jsonForm, `{"errors":[{"code":"Unauthorized","title":"x"}]}`}, destination.Credentials, "Unauthorized"},
		"422 with details for the request": {recorded{http.StatusUnprocessableEntity, jsonForm, `{"error":"RecordInvalid","description":"Record validation errors","details":{"base":[{"description":"x","error":null}]}}`}, destination.Refused, "RecordInvalid"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := replay(t, map[string]recorded{
				importTickets:          c.answer,
				"GET /api/v2/users/me": {http.StatusOK, jsonForm, `{"user":{"id":1,"role":"admin"}}`},
			})
			_, _, err := submit(t, a, tickets("t", 2))
			var e *destination.Error
			if !errors.As(err, &e) || e.Kind != c.want || e.Code != c.code {
				t.Errorf("error %v, want %s: %s", err, c.want, c.code)
			}
		})
	}
}
