package zendesk_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"farewell/destination"
	"farewell/destination/zendesk/zendesktest"
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

// Whom the source does not know is stood in for when the ticket is sent, and
// nobody stands in when it is read back: the list of changes names them.
func TestReadBackOfATicketWhoseRequesterWasStoodInFor(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, nil)
	c := newCrowd(t, s.open(t))
	somebody := c.bring(migration.Users, usersPage(migration.User{ID: "1", Name: "Unknown person"}))["1"].TargetID
	page := tickets("t", 3)
	for i := range page.Tickets {
		page.Tickets[i].RequesterID = "gone"
	}
	page.Tickets[0].Subject = strings.Repeat("long ", 100) // the whole of it is kept in a line of its own
	page.Tickets[1].SubmitterID = "gone too"
	page.Tickets[2].Comments = nil // so a line is made for it
	c.targets[migration.Users] = map[string]migration.Target{
		"gone": {ID: somebody, Placeholder: true}, "gone too": {ID: somebody, Placeholder: true}, "": {ID: somebody, Placeholder: true},
	}
	sent := map[string]destination.SentRecord{}
	for id, item := range c.bring(migration.Tickets, page) {
		sent[id] = destination.SentRecord{TargetID: item.TargetID, Partition: "tickets-0001"}
	}
	back, err := c.a.ReadBack(within(t), destination.ReadBackInput{Page: page, Sent: sent, Directory: nobody, Requests: 60})
	if err != nil || len(back.Compared) != 3 {
		t.Fatalf("%+v, %v", back, err)
	}
	for _, d := range back.Differences {
		if !slices.ContainsFunc(c.changes, func(ch migration.Change) bool {
			return ch.SourceID == d.SourceID && ch.Field == d.Field && ch.Part == d.Part && ch.After == d.Found
		}) {
			t.Errorf("difference %+v is not in the list of changes", d)
		}
	}
	if len(back.Differences) == 0 {
		t.Error("nobody was stood in for")
	}
}

func TestReadBackComparesAttachments(t *testing.T) {
	t.Parallel()
	const id = "t-0"
	attach := func(files *shelf, page *migration.Page) {
		for i, content := range []string{"one", "two", "two", ""} {
			files.attach(&page.Tickets[0], strconv.Itoa(i), "a.txt", []byte(content))
		}
	}
	for _, row := range []struct {
		name     string
		change   func(in *destination.ReadBackInput) // of what the source and the ledger say
		alter    zendesktest.Alteration
		requests int
		differs  bool
	}{
		{"as they were sent", func(*destination.ReadBackInput) {}, zendesktest.Alteration{}, 6, false},
		{"one that was sent is not there", func(*destination.ReadBackInput) {}, zendesktest.Alteration{DropFiles: true}, 2, true},
		{"other bytes of the same length", func(*destination.ReadBackInput) {}, zendesktest.Alteration{Bytes: []byte("owt")}, 0, true},
		{"one of another length", func(*destination.ReadBackInput) {}, zendesktest.Alteration{Bytes: []byte("longer")}, 2, true},
		{"another name", func(in *destination.ReadBackInput) { in.Page.Tickets[0].Comments[0].Attachments[1].FileName = "b.txt" }, zendesktest.Alteration{}, 2, true},
		{"one that is listed is there", func(in *destination.ReadBackInput) {
			in.Sent[id].Files["1"] = migration.FileFate{ID: "1", TicketID: id, Code: migration.FileNotFound}
		}, zendesktest.Alteration{}, 2, true},
		{"one that was not known when it was sent", func(in *destination.ReadBackInput) {
			c := &in.Page.Tickets[0].Comments[0]
			c.Attachments = append(c.Attachments, migration.Attachment{ID: "new", TicketID: id, FileName: "a.txt", Size: 3})
		}, zendesktest.Alteration{}, 2, true},
		{"expired ones that are there all the same", func(in *destination.ReadBackInput) {
			for _, i := range []string{"1", "3"} {
				f := in.Sent[id].Files[i]
				f.Code = migration.FileExpired
				in.Sent[id].Files[i] = f
			}
		}, zendesktest.Alteration{}, 6, false},
		{"expired ones that are not there", func(in *destination.ReadBackInput) {
			for i, f := range in.Sent[id].Files {
				f.Code = migration.FileExpired
				in.Sent[id].Files[i] = f
			}
		}, zendesktest.Alteration{DropFiles: true}, 2, false},
		{"sums that neither the ledger nor the source has", func(in *destination.ReadBackInput) {
			in.Sent[id] = destination.SentRecord{TargetID: in.Sent[id].TargetID, Partition: "p"}
		}, zendesktest.Alteration{Bytes: []byte("owt")}, 2, false},
		{"lengths that nobody has", func(in *destination.ReadBackInput) {
			in.Sent[id] = destination.SentRecord{TargetID: in.Sent[id].TargetID, Partition: "p"}
			for i := range 4 {
				in.Page.Tickets[0].Comments[0].Attachments[i].Size = 0
			}
		}, zendesktest.Alteration{Bytes: []byte("longer")}, 2, false},
		{"requests for fewer files than there are", func(in *destination.ReadBackInput) { in.Requests = 5 }, zendesktest.Alteration{DropFiles: true}, 1, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := newSandbox(t, nil)
			a := s.open(t)
			page := tickets("t", 1)
			var files shelf
			attach(&files, &page)
			parcel, items := bring(t, a, page, &files)
			target, err := strconv.ParseInt(items[0].TargetID, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Alter("acme", target, row.alter); err != nil {
				t.Fatal(err)
			}
			sent := destination.SentRecord{TargetID: items[0].TargetID, Partition: "p", Files: map[string]migration.FileFate{}}
			for _, f := range parcel.Files {
				sent.Files[f.ID] = f
			}
			in := destination.ReadBackInput{Page: page, Sent: map[string]destination.SentRecord{id: sent}, Directory: nobody, Requests: 7}
			row.change(&in)
			back, err := a.ReadBack(within(t), in)
			if err != nil {
				t.Fatal(err)
			}
			if row.requests > 0 && back.Requests != row.requests || back.Requests > in.Requests {
				t.Errorf("%d requests, want %d", back.Requests, row.requests)
			}
			if (len(back.Differences) > 0) != row.differs {
				t.Fatalf("differences %+v", back.Differences)
			}
			if row.differs && (len(back.Differences) != 1 || back.Differences[0].Field != "comments.attachments" || back.Differences[0].SourceID != id) {
				t.Errorf("differences %+v, want one in the attachments", back.Differences)
			}
		})
	}
}

func TestReadBackDownloadsSomeFilesOfATicketWithMany(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, nil)
	a := s.open(t)
	page := tickets("t", 1)
	var files shelf
	for i := range 25 {
		files.attach(&page.Tickets[0], strconv.Itoa(i), "a.txt", []byte("the same"))
	}
	parcel, items := bring(t, a, page, &files)
	sent := destination.SentRecord{TargetID: items[0].TargetID, Partition: "p", Files: map[string]migration.FileFate{}}
	for _, f := range parcel.Files {
		sent.Files[f.ID] = f
	}
	back, err := a.ReadBack(within(t), destination.ReadBackInput{Page: page, Sent: map[string]destination.SentRecord{"t-0": sent}, Directory: nobody, Requests: 60})
	if err != nil || back.Requests != 12 || len(back.Differences) != 0 || len(back.Compared) != 1 {
		t.Errorf("%+v, %v: want one compared with 12 requests", back, err)
	}
}
