package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const api = `
openapi: 3.0.3
info: {title: t, version: "1"}
paths:
  /api/v2/things/{thing_id}:
    parameters:
      - {name: thing_id, in: path, required: true, schema: {type: integer}}
    get:
      parameters:
        - {name: page, in: query, style: deepObject, schema: {type: object, properties: {size: {type: integer}}}}
      responses:
        "200":
          description: ok
          content:
            application/json:
              schema: {$ref: '#/components/schemas/Thing'}
  /api/v2/things:
    post:
      requestBody:
        content:
          application/json:
            schema: {type: object, properties: {things: {type: array, items: {$ref: '#/components/schemas/Thing'}}}}
      responses:
        "200": {description: ok}
components:
  schemas:
    Thing:
      allOf:
        - type: object
          properties:
            name: {type: string}
            made_at: {type: string, readOnly: true}
        - type: object
          properties:
            result:
              oneOf:
                - {type: object, required: [id, index], properties: {id: {type: integer}}}
                - {type: object, required: [a, b, c]}
`

const things = "/api/v2/things"

// get is an exchange that the file has nothing against, changed.
func get(change func(*exchange)) exchange {
	e := exchange{
		Test: "TestX", Method: http.MethodGet, Address: things + "/7.json?page[size]=3", RequestHeader: http.Header{}, Status: 200,
		AnswerHeader: http.Header{"Content-Type": {"application/json; charset=utf-8"}}, Answer: []byte(`{"name":"n"}`),
	}
	change(&e)
	return e
}

func post(body string) exchange {
	return exchange{
		Test: "TestX", Method: http.MethodPost, Address: things, RequestHeader: http.Header{"Content-Type": {"application/json"}},
		Request: []byte(body), Status: 200, AnswerHeader: http.Header{},
	}
}

func TestCheckNamesEveryDeviation(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "oas.yaml")
	if err := os.WriteFile(path, []byte(api), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := readSpec(path)
	if err != nil {
		t.Fatal(err)
	}
	const get1, post1 = "GET /api/v2/things/{thing_id}", "POST /api/v2/things"
	for name, c := range map[string]struct {
		exchange exchange
		want     []place
	}{
		"nothing":                  {get(func(*exchange) {}), nil},
		"an answer that was cut":   {get(func(e *exchange) { e.Status, e.Answer = 0, nil }), nil},
		"another type":             {get(func(e *exchange) { e.Answer = []byte(`{"name":7}`) }), []place{{get1, "answer 200", "/name", "type"}}},
		"null":                     {get(func(e *exchange) { e.Answer = []byte(`{"name":null}`) }), []place{{get1, "answer 200", "/name", "nullable"}}},
		"the closest alternative":  {get(func(e *exchange) { e.Answer = []byte(`{"result":{"id":1}}`) }), []place{{get1, "answer 200", "/result/index", "required"}}},
		"a status":                 {get(func(e *exchange) { e.Status = 503 }), []place{{get1, "answer 503", "status", "undeclared"}}},
		"an address of its own":    {get(func(e *exchange) { e.Address = "/files/0123456789abcdef0123456789abcdef/?name=x" }), []place{{"GET /files/{id}/", "request", "path", "undeclared"}}},
		"a parameter":              {get(func(e *exchange) { e.Address += "&x=1" }), []place{{get1, "request", "query x", "undeclared"}}},
		"an endpoint":              {get(func(e *exchange) { e.Address = "/api/v2/nothing" }), []place{{"GET /api/v2/nothing", "request", "path", "undeclared"}}},
		"plain text that is JSON":  {get(func(e *exchange) { e.AnswerHeader.Set("Content-Type", "text/plain"); e.Answer = []byte(`{"name":7}`) }), []place{{get1, "answer 200", "content type", "undeclared"}, {get1, "answer 200", "/name", "type"}}},
		"a page for people":        {get(func(e *exchange) { e.AnswerHeader.Set("Content-Type", "text/html"); e.Answer = []byte(`<p>`) }), []place{{get1, "answer 200", "content type", "undeclared"}}},
		"no JSON":                  {get(func(e *exchange) { e.Answer = []byte(`{`) }), []place{{get1, "answer 200", "body", "unreadable"}}},
		"a good request":           {post(`{"things":[{"name":"n"}]}`), nil},
		"a member of answers only": {post(`{"things":[{"made_at":"now"}]}`), []place{{post1, "request", "/things/*/made_at", "readOnly"}}},
		"a member of nobody":       {post(`{"things":[{"name":"n","title":"m"}]}`), []place{{post1, "request", "/things/*/title", "undeclared"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := s.check(&c.exchange)
			if err != nil {
				t.Fatal(err)
			}
			if len(got.deviations) != len(c.want) {
				t.Fatalf("deviations %+v, want %+v", got.deviations, c.want)
			}
			for i := range c.want {
				if got.deviations[i].place != c.want[i] {
					t.Errorf("deviation %s, want %s", got.deviations[i].place, c.want[i])
				}
			}
		})
	}
}

func TestVerdictFailsForWhatIsNotListedStaleOrNotRecorded(t *testing.T) {
	t.Parallel()
	known := place{"GET /a", "answer 200", "/x/*/y", "nullable"}
	const line = "differences: [{endpoint: GET **, part: answer 20**, at: '/x/*/y', rule: nullable, why: w, source: 'https://example.com'}]\n"
	const use = "must_occur: [GET /a]\n"
	client := http.Header{"User-Agent": {"farewell"}}
	for name, c := range map[string]struct {
		list   string
		found  []place
		header http.Header
		status int
		want   string
	}{
		"as listed":                  {use + line, []place{known}, client, 200, "valid: "},
		"not listed":                 {use + line, []place{known, {"GET /a", "answer 200", "/x/*/z", "nullable"}}, client, 200, "not as the file says: GET /a, answer 200, at /x/*/z: nullable"},
		"stale":                      {use + line, nil, client, 200, "stale: "},
		"an endpoint":                {line + "must_occur: [GET /a, GET /b]\n", []place{known}, client, 200, "not recorded: GET /b"},
		"nothing was off":            {use, nil, client, 200, "valid: "},
		"the tests alone ask":        {use, nil, nil, 200, "not recorded: GET /a"},
		"refusals only":              {use, nil, client, 422, "never answered well: GET /a"},
		"an endpoint not listed":     {"must_occur: []\n", nil, client, 200, "used and not on the list: GET /a"},
		"the tests may ask anything": {"must_occur: []\n", nil, nil, 200, "valid: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			list, err := readDifferences([]byte(c.list))
			if err != nil {
				t.Fatal(err)
			}
			r := newReport(list)
			found := checked{endpoint: "GET /a"}
			for _, p := range c.found {
				found.deviations = append(found.deviations, deviation{place: p})
			}
			r.take(&exchange{RequestHeader: c.header, Status: c.status}, found)
			var out strings.Builder
			if held := r.print(&out); held != (c.want == "valid: ") || !strings.Contains(out.String(), "\n"+c.want) {
				t.Errorf("held %t, want %q in\n%s", held, c.want, out.String())
			}
		})
	}
}

func TestListNeedsSources(t *testing.T) {
	t.Parallel()
	for name, list := range map[string]string{
		"no source":     "differences: [{endpoint: a, part: b, at: c, rule: d, why: e}]",
		"hearsay":       "differences: [{endpoint: a, part: b, at: c, rule: d, why: e, source: somebody}]",
		"a wrong word":  "differences: [{endpoints: a}]",
		"no reason":     "differences: [{endpoint: a, part: b, at: c, rule: d, source: 'https://x'}]",
		"another shape": "[]",
	} {
		if _, err := readDifferences([]byte(list)); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	if _, err := readDifferences(listed); err != nil {
		t.Error(err)
	}
}
