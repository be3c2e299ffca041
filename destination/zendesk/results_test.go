package zendesk

import (
	"encoding/json"
	"strings"
	"testing"

	"farewell/migration"
)

func TestTicketItems(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		results string
		want    string // "source=target" or "source!code", by place; "": not to be matched
	}{
		"by index, ids in any order":            {`[{"index":0,"id":20,"account_id":1},{"index":1,"id":18},{"index":2,"id":16}]`, "a=20 b=18 c=16"},
		"by index, shuffled":                    {`[{"index":2,"id":16},{"index":0,"id":20},{"index":1,"id":18}]`, "a=20 b=18 c=16"},
		"by order when none has an index":       {`[{"id":1},{"id":2},{"id":3}]`, "a=1 b=2 c=3"},
		"ids as strings":                        {`[{"index":0,"id":"20"},{"index":1,"id":"18"},{"index":2,"id":"16"}]`, "a=20 b=18 c=16"},
		"a failed item":                         {`[{"index":0,"id":1},{"index":1,"error":"TicketCreateFailed","details":"Description: cannot be blank"},{"index":2,"id":3}]`, "a=1 b!TicketCreateFailed c=3"},
		"a failed item that names an id":        {`[{"index":0,"id":1},{"index":1,"id":9,"error":"TicketCreateFailed"},{"index":2,"id":3}]`, "a=1 b!TicketCreateFailed c=3"},
		"an item without id":                    {`[{"index":0,"id":1},{"index":1},{"index":2,"id":3}]`, "a=1 b!Refused c=3"},
		"an item with id 0":                     {`[{"index":0,"id":1},{"index":1,"id":0},{"index":2,"id":3}]`, "a=1 b!Refused c=3"},
		"an error that is null":                 {`[{"index":0,"id":1,"error":null},{"index":1,"id":2},{"index":2,"id":3}]`, "a=1 b=2 c=3"},
		"details with a code":                   {`[{"index":0,"id":1},{"index":1,"error":"TicketCreateFailed","details":{"base":[{"description":"x","error":"BlankValue"}]}},{"index":2,"id":3}]`, "a=1 b!BlankValue c=3"},
		"an error that is a sentence":           {`[{"index":0,"id":1},{"index":1,"error":"Something of the record"},{"index":2,"id":3}]`, "a=1 b!Refused c=3"},
		"an index twice":                        {`[{"index":0,"id":1},{"index":0,"id":2},{"index":2,"id":3}]`, ""},
		"an index out of range":                 {`[{"index":0,"id":1},{"index":1,"id":2},{"index":3,"id":3}]`, ""},
		"an index for some":                     {`[{"index":0,"id":1},{"id":2},{"index":2,"id":3}]`, ""},
		"fewer results than records":            {`[{"index":0,"id":1},{"index":1,"id":2}]`, ""},
		"more results than records":             {`[{"id":1},{"id":2},{"id":3},{"id":4}]`, ""},
		"no results":                            {`[]`, ""},
		"null results":                          {`null`, ""},
		"results as an object, as deletes have": {`{"success":true}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var a jobAnswer
			if err := a.read(strings.NewReader(`{"job_status": {"results": ` + c.results + `}}`)); err != nil {
				t.Fatal(err)
			}
			results := a.Job.Results
			ok := results != nil
			var items []migration.Item
			if ok {
				items, ok = ticketItems(results, []string{"a", "b", "c"})
			}
			if got := shown(items); ok != (c.want != "") || got != c.want {
				t.Errorf("items %q (%t), want %q", got, ok, c.want)
			}
		})
	}
}

func shown(items []migration.Item) string {
	var words []string
	for _, i := range items {
		if i.Outcome == migration.Created {
			words = append(words, i.SourceID+"="+i.TargetID)
		} else {
			words = append(words, i.SourceID+"!"+i.Code)
		}
	}
	return strings.Join(words, " ")
}

func TestIDsAreReadInEveryForm(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]id{`20`: "20", `"20"`: "20", `null`: "", `"V3-ab"`: "V3-ab"} {
		var got id
		if err := json.Unmarshal([]byte(raw), &got); err != nil || got != want {
			t.Errorf("%s was read as %q, error %v; want %q", raw, got, err, want)
		}
	}
	var got id
	if json.Unmarshal([]byte(`{"a":1}`), &got) == nil {
		t.Errorf("an object was read as the id %q", got)
	}
}
