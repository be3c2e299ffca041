package zendesk_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"farewell/destination"
	"farewell/migration"
)

// Who was made by others is found by what the account knows of them.
func TestPeopleOfOthersAreFoundByNameAndByAFurtherAddress(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, map[string]any{"index_lag_seconds": 0})
	organization := s.post(t, "organizations", `{"organization":{"name":"Example GmbH"}}`)
	user := s.post(t, "users", `{"user":{"name":"One","email":"one@example.com","identities":[{"type":"email","value":"other@example.com"}]}}`)
	for e, c := range map[migration.Entity]struct {
		page migration.Page
		want string
	}{
		migration.Organizations: {migration.Page{Organizations: []migration.Organization{{ID: "o", Name: " example gmbh"}}}, organization},
		migration.Users:         {migration.Page{Users: []migration.User{{ID: "u", Name: "U", Email: "Other@example.com"}}}, user},
	} {
		a := s.open(t)
		parcel, err := a.Prepare(within(t), destination.PrepareInput{Entity: e, Partition: "p", Page: c.page, Level: migration.SingleLevel, Directory: nobody})
		if err != nil {
			t.Fatalf("prepare %s: %v", e, err)
		}
		items := parcel.Decided
		if len(parcel.Sent) > 0 {
			receipt, err := a.Submit(within(t), migration.Batch{ID: "b", Entity: e, SourceIDs: parcel.Sent}, parcel)
			if err != nil {
				t.Fatalf("submit %s: %v", e, err)
			}
			items = append(items, receipt.Items...)
		}
		if len(items) != 1 || items[0].Outcome != migration.AlreadyThere || items[0].TargetID != c.want {
			t.Errorf("%s: %+v, want already there as %s", e, items, c.want)
		}
	}
}

// Two registrations of one person are on their way in two jobs, and the results
// of the one that is refused are read first: the search does not show the other
// yet.
func TestWhoSharesAnAddressWithAnotherJobsUserIsLookedUpAgainAndNotFailed(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, map[string]any{"index_lag_seconds": 3600})
	a := s.open(t)
	submitted := func(id string) (jobID string) {
		page := usersPage(migration.User{ID: id, Name: "P" + id, Email: "One@example.com"}, migration.User{ID: id + "-other", Name: "Q"})
		parcel, err := a.Prepare(within(t), destination.PrepareInput{Entity: migration.Users, Partition: "p", Page: page, Directory: nobody})
		if err != nil {
			t.Fatal(err)
		}
		receipt, err := a.Submit(within(t), migration.Batch{ID: id, Entity: migration.Users, SourceIDs: parcel.Sent, SendBy: time.Now().Add(time.Minute)}, parcel)
		if err != nil || receipt.JobID == "" {
			t.Fatalf("submit %s: %+v, %v", id, receipt, err)
		}
		return receipt.JobID
	}
	read := func(jobID, id string) migration.Item {
		result, err := a.Await(within(t), jobID, migration.Users, []string{id, id + "-other"})
		if err != nil || len(result.Items) != 2 {
			t.Fatalf("job of %s: %+v, %v", id, result, err)
		}
		return result.Items[0]
	}
	first, second := submitted("1"), submitted("2")
	if item := read(second, "2"); item.Outcome != migration.NotSent {
		t.Errorf("refused beside the job of the other: %+v, want to be looked up again", item)
	}
	made := read(first, "1")
	if made.Outcome != migration.Created {
		t.Fatalf("the first: %+v", made)
	}
	parcel, err := a.Prepare(within(t), destination.PrepareInput{Entity: migration.Users, Partition: "p", Page: usersPage(migration.User{ID: "2", Name: "P2", Email: "one@example.com"}), Directory: nobody})
	if err != nil || len(parcel.Decided) != 1 || parcel.Decided[0].TargetID != made.TargetID {
		t.Errorf("looked up again: %+v, %v; want already there as %s", parcel.Decided, err, made.TargetID)
	}
}

// post makes a record as somebody else would, and returns its id.
func (s *sandbox) post(t *testing.T, path, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.http.URL+"/accounts/acme/api/v2/"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer sandbox-acme")
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }() // read to its end below
	answer, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusCreated {
		t.Fatalf("post %s: status %d, %v", path, res.StatusCode, err)
	}
	var id int64
	if _, err := fmt.Sscanf(string(answer[strings.Index(string(answer), `"id":`):]), `"id":%d`, &id); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(id)
}
