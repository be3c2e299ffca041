package integration_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"testing"
)

func TestVerifyFindsWhatIsThereTwiceAndRepairsItOnlyWhenTold(t *testing.T) {
	s := newStage(t, setting{tickets: 60, comments: 2})
	s.startWorker()
	s.mustStart("start", "customer-0001", "--wait")
	wantSaid(t, s.mustStart("verify", "customer-0001"), "everything is there, once")

	copied := s.sandbox.records("customer-0001", "tickets")[0]
	s.sandbox.importOne("customer-0001", map[string]any{"ticket": map[string]any{
		"external_id": copied["external_id"], "subject": copied["subject"], "status": "closed", "tags": copied["tags"],
		"requester_id": copied["requester_id"], "created_at": copied["created_at"], "updated_at": copied["updated_at"],
		"comments": []map[string]any{{"value": "again", "author_id": copied["requester_id"], "created_at": copied["created_at"]}},
	}})
	wantSaid(t, s.wantExit(exitAttention, "verify", "customer-0001"), "1 there more than once")
	if n := number(t, s.sandbox.stats("customer-0001")["tickets"]); n != 61 {
		t.Errorf("%d tickets after a look, want 61: it changes nothing", n)
	}
	wantSaid(t, s.mustStart("verify", "customer-0001", "--repair"), "1 deleted as copies of ours")
	s.wantEqual("customer-0001", "customer-0001")
}

// importOne makes a ticket as somebody else with the account's own token would.
func (b *sandbox) importOne(account string, body map[string]any) {
	b.t.Helper()
	encoded, err := json.Marshal(body)
	if err != nil {
		b.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.URL+"/accounts/"+account+"/api/v2/imports/tickets.json", bytes.NewReader(encoded))
	if err != nil {
		b.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer sandbox-"+account)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusCreated {
		b.t.Fatalf("import one ticket: %s", response.Status)
	}
}
