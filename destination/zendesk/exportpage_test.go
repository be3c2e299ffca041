package zendesk

import (
	"reflect"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
)

const exportSample = `{"count": 4, "tickets": [
	{"id": 7, "external_id": "fw:7", "status": "open", "subject": "a \"quoted\\\" one", "tags": ["x", "farewell"], "fields": [{"id": 1, "value": ["}", "]"]}], "generated_timestamp": 50},
	{"id": "8", "external_id": "fw:\u0038", "status": null, "tags": null, "generated_timestamp": 60, "via": {"source": {"tags": ["farewell"]}}},
	{"id": 9, "external_id": null, "tags": [], "generated_timestamp": 70},
	{"id": null, "external_id": "fw:10", "generated_timestamp": 65, "created_at": null, "is_public": true}
], "after_cursor": "c\/1", "before_cursor": null, "end_of_stream": true}`

var exportSampleRead = exported{
	Ours: []exportedTicket{
		{ID: 7, SourceID: "7", Status: "open", Tagged: true, Generated: 50},
		{ID: 8, SourceID: "8", Generated: 60},
	},
	Last: 70, Cursor: "c/1", End: true,
}

func TestExportPageKeepsTicketsOfOurs(t *testing.T) {
	t.Parallel()
	var page exported
	if err := page.read(newJSONReader(1), iotest.OneByteReader(strings.NewReader(exportSample)), "fw:"); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(page, exportSampleRead) {
		t.Errorf("read %+v\nwant %+v", page, exportSampleRead)
	}
}

func TestExportPageReadsTextsLongerThanItsBuffer(t *testing.T) {
	t.Parallel()
	for _, long := range []string{strings.Repeat("a", 1<<17), strings.Repeat(`\\`, 1<<17), strings.Repeat(`\"`, 1<<17), "a" + strings.Repeat(`\\`, 1<<17)} {
		text := strings.Replace(exportSample, `a \"quoted\\\" one`, long, 1)
		var page exported
		if err := page.read(newJSONReader(exportRoom), strings.NewReader(text), "fw:"); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(page, exportSampleRead) {
			t.Errorf("read %+v with a text of %d bytes", page, len(long))
		}
	}
}

func TestExportPageThatWasCutIsAnError(t *testing.T) {
	t.Parallel()
	for n := range exportSample {
		var page exported
		if err := page.read(newJSONReader(exportRoom), strings.NewReader(exportSample[:n]), "fw:"); err == nil {
			t.Fatalf("the first %d bytes were taken for a whole page", n)
		}
	}
}

func TestExportPageOfAnotherShapeIsAnError(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`[]`, `{"tickets": {}}`, `{"tickets": [7]}`, `{"tickets": [{"id": 7 8}]}`, `{"tickets": [{"id": }]}`, `{"tickets": [{"id": {}}]}`,
		`{"tickets": [{"tags": "farewell"}]}`, `{"tickets": [{"status": 5}]}`, `{"tickets": [{"via": {]}}]}`, `{"end_of_stream": 1}`, `{7: 8}`,
	} {
		var page exported
		if err := page.read(newJSONReader(exportRoom), strings.NewReader(text), "fw:"); err == nil {
			t.Errorf("%s was taken for a page", text)
		}
	}
}

func TestSeenTicketsFindsCopiesInTheOrderSeen(t *testing.T) {
	t.Parallel()
	var s seenTickets
	s.add("b", 30, 1, true)
	s.add("a", 20, 2, true)
	s.add("b", 10, 3, false)
	s.add("b", 30, 4, false) // again, as a page may show it
	s.add("", 40, 5, true)
	s.sort()
	calls := 0
	s.eachAgain(func(sourceID string, tickets []seenTicket) {
		calls++
		if sourceID != "b" || len(tickets) != 2 || tickets[0].target != 30 || !tickets[0].tagged || tickets[0].generated != 1 || tickets[1].target != 10 {
			t.Errorf("copies of %q: %+v", sourceID, tickets)
		}
	})
	if calls != 1 || len(s.order) != 4 {
		t.Errorf("%d source ids are there twice, %d tickets", calls, len(s.order))
	}
	if ids := s.targets(); !ids.has("10") || !ids.has("40") || ids.has("11") || ids.has("x") {
		t.Error("what was seen is not told from what was not")
	}
}

func TestSeenTicketsKeepsWhatDoesNotFitIntoOneBlock(t *testing.T) {
	t.Parallel()
	var s seenTickets
	const tickets = 2*rowsPerBlock + 3
	long := strings.Repeat("x", 250)
	for n := range int64(tickets) {
		s.add(long+strconv.FormatInt(n, 10), tickets-n, n, true)
	}
	s.add(long+"7", tickets+1, 0, false)
	s.sort()
	if len(s.order) != tickets+1 {
		t.Errorf("%d tickets were seen, not %d", len(s.order), tickets+1)
	}
	targets := s.targets()
	for n := range int64(tickets + 1) {
		if !targets.has(strconv.FormatInt(n+1, 10)) {
			t.Fatalf("ticket %d was not seen", n+1)
		}
	}
	var again []string
	s.eachAgain(func(sourceID string, _ []seenTicket) { again = append(again, sourceID) })
	if len(again) != 1 || again[0] != long+"7" {
		t.Errorf("there twice: %d source ids", len(again))
	}
}
