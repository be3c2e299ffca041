package zendesk_test

import (
	"testing"

	"farewell/destination"
	"farewell/migration"
)

func TestReadBackComparesWithinItsRequests(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, nil)
	a := s.open(t)
	page := tickets("t", 4)
	receipt, b, err := submit(t, a, page)
	if err != nil {
		t.Fatal(err)
	}
	result, err := a.Await(within(t), receipt.JobID, migration.Tickets, b.SourceIDs)
	if err != nil || created(result.Items) != 4 {
		t.Fatalf("await: %v, %+v", err, result)
	}
	sent := map[string]destination.SentRecord{}
	for _, i := range result.Items {
		sent[i.SourceID] = destination.SentRecord{TargetID: i.TargetID, Partition: "p"}
	}
	page.Tickets[1].Subject = "changed"
	in := destination.ReadBackInput{Page: page, Sent: sent, Directory: nobody, Requests: 4}
	back, err := a.ReadBack(within(t), in)
	if err != nil {
		t.Fatal(err)
	}
	if len(back.Compared) != 3 || back.Requests != 4 {
		t.Errorf("compared %v with %d requests, want three tickets for four", back.Compared, back.Requests)
	}
	want := destination.Difference{SourceID: "t-1", Field: "subject", Found: migration.HashText("subject")}
	if len(back.Differences) != 1 || back.Differences[0] != want {
		t.Errorf("differences %+v, want %+v", back.Differences, want)
	}
}
