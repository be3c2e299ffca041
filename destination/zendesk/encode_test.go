package zendesk

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"farewell/migration"
)

var noon = time.Date(2022, 6, 7, 12, 0, 0, 0, time.UTC)

// encoded encodes one ticket and reads it back.
func encoded(t *testing.T, ticket migration.Ticket) map[string]any {
	t.Helper()
	body, _ := EncodeTickets(nil, EncodeInput{
		Tickets:       []migration.Ticket{ticket},
		Users:         map[string]migration.Target{"u1": {ID: "101"}, "u2": {ID: "102"}},
		Organizations: map[string]migration.Target{"o1": {ID: "201"}},
		Self:          "1", Prefix: "farewell-", Partition: "tickets-0007", Single: true,
		Now: noon.Add(24 * time.Hour),
	})
	var read map[string]map[string]any
	if err := json.Unmarshal(body, &read); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return read["ticket"]
}

func commentsOf(t *testing.T, ticket map[string]any) []map[string]any {
	t.Helper()
	var comments []map[string]any
	for _, c := range ticket["comments"].([]any) {
		comments = append(comments, c.(map[string]any))
	}
	return comments
}

func TestEncodeTicketSaysEverything(t *testing.T) {
	t.Parallel()
	got := encoded(t, migration.Ticket{
		ID: "T1", RequesterID: "u1", SubmitterID: "u2", OrganizationID: "o1", Subject: "", Status: "closed", Priority: "high",
		Type: "incident", Channel: "Live Chat", Tags: []string{"VIP", "two words", "vip"}, CustomFields: json.RawMessage(`{"7":"x"}`),
		CreatedAt: noon.Add(500 * time.Millisecond), UpdatedAt: noon.Add(time.Hour), SolvedAt: noon.Add(time.Minute),
		Comments: []migration.Comment{
			{AuthorID: "u1", Public: true, Body: "a\r\nb", CreatedAt: noon.Add(100 * time.Millisecond)},
			{AuthorID: "u2", Public: false, HTML: true, Body: "<b>c</b>", CreatedAt: noon.Add(200 * time.Millisecond)},
			{AuthorID: "gone", Public: true, Body: " ", CreatedAt: noon.Add(-time.Hour)},
		},
	})
	want := `{"comments":[` +
		`{"author_id":101,"body":"a\r\nb","created_at":"2022-06-07T12:00:00Z","public":true},` +
		`{"author_id":102,"created_at":"2022-06-07T12:00:01Z","html_body":"<b>c</b>","public":false},` +
		`{"author_id":101,"body":"(no text)","created_at":"2022-06-07T12:00:02Z","public":true}],` +
		`"created_at":"2022-06-07T12:00:00Z","custom_fields":[{"id":7,"value":"x"}],"external_id":"farewell-^t1","organization_id":201,` +
		`"priority":"high","requester_id":101,"solved_at":"2022-06-07T12:01:00Z","status":"closed","subject":"","submitter_id":102,` +
		`"tags":["vip","two_words","farewell","farewell_tickets-0007","channel_live_chat"],"type":"incident","updated_at":"2022-06-07T13:00:00Z"}`
	var reference any
	if err := json.Unmarshal([]byte(want), &reference); err != nil {
		t.Fatal(err)
	}
	if g, w := fmt.Sprint(got), fmt.Sprint(reference); g != w {
		t.Errorf("got  %s\nwant %s", g, w)
	}
}

func TestEncodeTicketStandsInForWhomNobodyKnows(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ticket            migration.Ticket
		requester, author float64
	}{
		"the requester by the first known public author": {migration.Ticket{RequesterID: "gone", OrganizationID: "o1", Comments: []migration.Comment{
			{AuthorID: "gone", Public: true, Body: "x"}, {AuthorID: "u1", Body: "note"}, {AuthorID: "u2", Public: true, Body: "y"},
		}}, 102, 102},
		"an author by the requester":       {migration.Ticket{RequesterID: "u1", Comments: []migration.Comment{{AuthorID: "gone", Public: true, Body: "x"}}}, 101, 101},
		"the requester by us":              {migration.Ticket{Comments: []migration.Comment{{Public: true, Body: "x"}}}, 1, 1},
		"the author of no message at all":  {migration.Ticket{RequesterID: "u2"}, 102, 102},
		"a submitter by the requester too": {migration.Ticket{RequesterID: "u2", SubmitterID: "gone"}, 102, 102},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.ticket.ID = "1"
			got := encoded(t, c.ticket)
			if got["requester_id"] != c.requester || got["submitter_id"] != c.requester || commentsOf(t, got)[0]["author_id"] != c.author {
				t.Errorf("got %v, want requester %v and author %v", got, c.requester, c.author)
			}
			if _, known := map[float64]bool{101: true}[c.requester]; got["organization_id"] != nil && !known {
				t.Errorf("an organization without its person: %v", got)
			}
		})
	}
}

func TestCommentTimesAreStrictlyIncreasingAndNeverInTheFuture(t *testing.T) {
	t.Parallel()
	now := noon
	for name, times := range map[string][]time.Time{
		"all the same":          {noon.Add(-time.Hour), noon.Add(-time.Hour), noon.Add(-time.Hour)},
		"all of this second":    {noon, noon, noon, noon},
		"in the future":         {noon.Add(time.Hour), noon.Add(2 * time.Hour)},
		"before 1970":           {time.Date(1960, 1, 1, 0, 0, 0, 0, time.UTC), noon.Add(-time.Hour)},
		"backwards":             {noon.Add(-time.Hour), noon.Add(-2 * time.Hour), noon.Add(-3 * time.Hour)},
		"less than a second on": {noon.Add(-time.Minute), noon.Add(-time.Minute + 300*time.Millisecond)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ticket := migration.Ticket{ID: "1", CreatedAt: times[0], UpdatedAt: times[0]}
			for _, at := range times {
				ticket.Comments = append(ticket.Comments, migration.Comment{Body: "x", CreatedAt: at})
			}
			in := EncodeInput{Self: "1", Now: now}
			d := in.draft(&ticket, "p")
			before := d.created.Add(-time.Second)
			for i, l := range d.lines {
				if l.created.Sub(before) < time.Second || l.created.Nanosecond() != 0 || !l.created.Before(now) || l.created.Before(epoch) {
					t.Errorf("comment %d is of %s, after %s, now is %s", i, l.created, before, now)
				}
				before = l.created
			}
			if d.updated.Before(d.created) || !d.updated.Before(now) || d.created.After(d.lines[0].created) {
				t.Errorf("ticket of %s, updated %s, first comment %s", d.created, d.updated, d.lines[0].created)
			}
		})
	}
}

func TestLongTextsLoseNothing(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"lines":              strings.Repeat("twelve bytes\n", 80_000),
		"one long word":      strings.Repeat("漢", 100_000),
		"invalid everywhere": strings.Repeat("\xff", 70_000),
		"just too long":      strings.Repeat("x", bodyLimit+1),
		"just fits":          strings.Repeat("x", bodyLimit),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pieces := splitBody(cleanText(body), false)
			for _, p := range pieces {
				if len(p) > bodyLimit {
					t.Errorf("a piece has %d bytes", len(p))
				}
			}
			if strings.Join(pieces, "") != string([]rune(body)) {
				t.Error("the pieces are not the whole")
			}
		})
	}
	html := strings.Repeat("<p>paragraph &amp; more</p>", 5_000)
	for _, p := range splitBody(html, true) {
		if !strings.HasSuffix(p, ">") {
			t.Errorf("HTML was cut inside a tag or text: …%q", p[len(p)-20:])
		}
	}
}

func TestLongSubjectIsKeptInAPrivateComment(t *testing.T) {
	t.Parallel()
	subject := strings.Repeat("é", 300)
	got := encoded(t, migration.Ticket{ID: "1", RequesterID: "u1", Subject: subject, CreatedAt: noon,
		Comments: []migration.Comment{{AuthorID: "u1", Public: true, Body: "x", CreatedAt: noon}}})
	comments := commentsOf(t, got)
	last := comments[len(comments)-1]
	if got["subject"] != subject[:2*nameLimit] || last["public"] != false || last["body"] != "Subject: "+subject {
		t.Errorf("subject of %d bytes, last comment %v", len(fmt.Sprint(got["subject"])), last)
	}
}

func BenchmarkEncodeTickets(b *testing.B) {
	in := EncodeInput{Users: map[string]migration.Target{"1": {ID: "101"}}, Self: "1", Prefix: "farewell-", Partition: "tickets-0001", Now: time.Now()}
	body := strings.Repeat("A sentence of a conversation, with \"quotes\" and ümlauts.\n", 6)
	for i := range 100 {
		t := migration.Ticket{ID: fmt.Sprint(i), RequesterID: "1", Subject: "A subject", Status: "closed", Channel: "email", Tags: []string{"one", "two"}, CreatedAt: noon, UpdatedAt: noon}
		for n := range 4 {
			t.Comments = append(t.Comments, migration.Comment{AuthorID: "1", Public: true, Body: body, CreatedAt: noon.Add(time.Duration(n) * time.Minute)})
		}
		in.Tickets = append(in.Tickets, t)
	}
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf, _ = EncodeTickets(buf[:0], in)
	}
	b.ReportMetric(float64(100*b.N)/b.Elapsed().Seconds(), "tickets/s")
	b.SetBytes(int64(len(buf)))
}
