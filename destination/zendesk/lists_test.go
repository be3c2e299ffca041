package zendesk

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"farewell/destination"
	"farewell/migration"
)

func TestAListThatBreaksOffIsNotTakenForTheWhole(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Request-Id", "1")
		_, _ = w.Write([]byte(`{"count": {"value": 1}, "groups": [{"id": 1}], "meta": {"has_more": true}}`))
	}))
	t.Cleanup(server.Close)
	h := fileHosts{account: server}
	a := h.open(t)
	var groups []named
	_, noFiles := a.CountFiles(t.Context(), "1")
	_, noMembership := a.organizationsOf(t.Context(), "1")
	_, noCensus := a.census.list(t.Context(), migration.Users)
	_, noAgent := a.agents.find(t.Context(), "a@x.example")
	for name, err := range map[string]error{
		"the jobs":          a.listJobs(t.Context(), 0, func(jobStatus) bool { return true }),
		"a user's places":   noMembership,
		"a ticket's files":  noFiles,
		"the users":         noCensus,
		"the agents":        noAgent,
		"the account's own": listAll(t.Context(), a, "groups", &groups),
	} {
		if destination.KindOf(err) != destination.Temporary {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestASuspendedAgentStandsForNobody(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Request-Id", "1")
		_, _ = w.Write([]byte(`{"users": [{"id": 1, "email": "gone@x.example", "suspended": true}, {"id": 2, "email": "here@x.example"}]}`))
	}))
	t.Cleanup(server.Close)
	h := fileHosts{account: server}
	a := h.open(t)
	for email, want := range map[string]string{"gone@x.example": "", "here@x.example": "2"} {
		if got, err := a.agents.find(t.Context(), email); got != want || err != nil {
			t.Errorf("%s is agent %q, %v; want %q", email, got, err, want)
		}
	}
}
