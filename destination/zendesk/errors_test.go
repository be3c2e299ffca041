package zendesk

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"farewell/destination"
)

// answerOf makes an answer; headers are "Name: value".
func answerOf(status int, body string, headers ...string) *answer {
	ans := &answer{status: status, header: http.Header{}, body: []byte(body)}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		ans.header.Add(name, value)
	}
	return ans
}

const own = "X-Request-Id: r1"

func TestClassify(t *testing.T) {
	t.Parallel()
	const html = "<html><body>Attention Required!</body></html>"
	for name, c := range map[string]struct {
		ans  *answer
		get  destination.Kind // "": no error
		post destination.Kind
		code string // of the POST
	}{
		"200":                              {answerOf(200, `{}`, own), "", "", ""},
		"200 of JSON without own headers":  {answerOf(200, `{}`), "", "", ""},
		"200 with a page for people":       {answerOf(200, html), destination.Blocked, destination.Blocked, "edge 200"},
		"400 TooManyValues":                {answerOf(400, `{"error":"TooManyValues","description":"Parameter  cannot specify more than 100 values","max_count":100}`, own), destination.TooLarge, destination.TooLarge, "TooManyValues"},
		"400 in a list":                    {answerOf(400, `{"errors":[{"code":"StartTimeTooRecent","status":"400","title":"..."}]}`, own), destination.Refused, destination.Refused, "StartTimeTooRecent"},
		"401 as a sentence":                {answerOf(401, `{"error":"Couldn't authenticate you"}`, own), destination.Credentials, destination.Credentials, "401"},
		"403 as an object":                 {answerOf(403, `{"error":{"title":"Forbidden","message":"..."}}`, own), destination.Credentials, destination.Credentials, "Forbidden"},
		"403 with the older request id":    {answerOf(403, `{"error":"Forbidden"}`, "X-Zendesk-Request-Id: r"), destination.Credentials, destination.Credentials, "Forbidden"},
		"403 of the edge":                  {answerOf(403, html), destination.Blocked, destination.Blocked, "edge 403"},
		"403 HTML behind own headers":      {answerOf(403, html, own), destination.Blocked, destination.Blocked, "edge 403"},
		"403 of nobody":                    {answerOf(403, `no`), destination.Blocked, destination.Blocked, "edge 403"},
		"403 challenge":                    {answerOf(403, `x`, own, "Cf-Mitigated: challenge"), destination.Blocked, destination.Blocked, "edge 403"},
		"404":                              {answerOf(404, `{"error":"RecordNotFound","description":"Not found"}`, own), destination.Misconfigured, destination.InDoubt, "RecordNotFound"},
		"405":                              {answerOf(405, ``, own), destination.Misconfigured, destination.InDoubt, "405"},
		"406":                              {answerOf(406, `{"error":"CommentRequired"}`, own), destination.Refused, destination.InDoubt, "CommentRequired"},
		"409 as text":                      {answerOf(409, `Requester creation collision - please try again`, own), destination.Temporary, destination.InDoubt, "409"},
		"413 of a proxy":                   {answerOf(413, html), destination.TooLarge, destination.TooLarge, "413"},
		"422":                              {answerOf(422, `{"error":"RecordInvalid","description":"Record validation errors","details":{}}`, own), destination.Refused, destination.Refused, "RecordInvalid"},
		"429 as text":                      {answerOf(429, `Number of allowed API requests per minute exceeded`, own, "Retry-After: 93"), destination.Temporary, destination.Temporary, "429"},
		"429 of the edge":                  {answerOf(429, html), destination.Temporary, destination.Temporary, "429"},
		"TooManyJobs under 429":            {answerOf(429, `{"error":"TooManyJobs","description":"..."}`, own), destination.Temporary, destination.Temporary, "TooManyJobs"},
		"TooManyJobs under 503":            {answerOf(503, `{"error":"TooManyJobs","description":"..."}`, own), destination.Temporary, destination.Temporary, "TooManyJobs"},
		"500 HTML":                         {answerOf(500, html, own), destination.Temporary, destination.InDoubt, "500"},
		"502 of a proxy":                   {answerOf(502, html), destination.Temporary, destination.InDoubt, "502"},
		"503 with Retry-After":             {answerOf(503, `{"error":"ServiceUnavailable"}`, own, "Retry-After: 5"), destination.Temporary, destination.InDoubt, "ServiceUnavailable"},
		"503 of the edge":                  {answerOf(503, html), destination.Blocked, destination.Blocked, "edge 503"},
		"524 of the edge":                  {answerOf(524, html), destination.Temporary, destination.InDoubt, "524"},
		"301":                              {answerOf(301, ``, own, "Location: https://other.zendesk.com/"), destination.Misconfigured, destination.InDoubt, "301"},
		"302 to a challenge":               {answerOf(302, ``, "Location: /cdn-cgi/challenge-platform"), destination.Blocked, destination.Blocked, "edge 302"},
		"an error name that is a sentence": {answerOf(422, `{"error":"jane@example.com is wrong"}`, own), destination.Refused, destination.Refused, "422"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assertKind(t, c.get, classify(call{op: "look", method: http.MethodGet}, c.ans), "")
			assertKind(t, c.post, classify(call{op: "import", method: http.MethodPost}, c.ans), c.code)
		})
	}
}

func assertKind(t *testing.T, want destination.Kind, got *destination.Error, code string) {
	t.Helper()
	if got == nil {
		if want != "" {
			t.Errorf("no error, want %s", want)
		}
		return
	}
	if got.Kind != want {
		t.Errorf("kind %s, want %s: %v", got.Kind, want, got)
	}
	if code != "" && got.Code != code {
		t.Errorf("code %q, want %q", got.Code, code)
	}
}

func TestErrorsQuoteNoAnswer(t *testing.T) {
	t.Parallel()
	const secret = "jane.doe"
	body := `{"error":"RecordInvalid","description":"` + secret + `","details":{"email":[{"description":"Email: ` + secret + `@example.com is already being used","error":"DuplicateValue"}]}}`
	err := classify(call{op: "import users", method: http.MethodPost}, answerOf(422, body, own))
	if strings.Contains(err.Error(), secret) {
		t.Errorf("the error quotes the answer: %v", err)
	}
	if !strings.Contains(err.Error(), "r1") {
		t.Errorf("the error lacks the request id: %v", err)
	}
	if !errors.As(error(err), new(*refusal)) || !is(err, 422) {
		t.Errorf("the error does not know its status: %v", err)
	}
}

func TestPauseAfter(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ans  *answer
		want time.Duration
		why  string
	}{
		"a good answer":                 {answerOf(200, `{}`, own), 0, ""},
		"429 with Retry-After":          {answerOf(429, `x`, own, "Retry-After: 93"), 93 * time.Second, reasonRetryAfter},
		"429 without":                   {answerOf(429, `x`, own), pauseWithoutHint, reasonRetryAfter},
		"429 of the edge":               {answerOf(429, `<html>`), edgePause, reasonEdge},
		"503 with Retry-After":          {answerOf(503, `{}`, own, "Retry-After: 7"), 7 * time.Second, reasonRetryAfter},
		"503 without":                   {answerOf(503, `{}`, own), 0, ""},
		"403 of the edge":               {answerOf(403, `<html>`), edgePause, reasonEdge},
		"TooManyJobs concerns no other": {answerOf(429, `{"error":"TooManyJobs"}`, own), 0, ""},
		"an absurd Retry-After":         {answerOf(429, `x`, own, "Retry-After: 99999999"), longestPause, reasonRetryAfter},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, why := pauseAfter(c.ans); got != c.want || why != c.why {
				t.Errorf("pause %s for %q, want %s for %q", got, why, c.want, c.why)
			}
		})
	}
}

func TestFailedItemKeepsStableCodesAndLocalText(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ body, code, text string }{
		"a code in the account's language": {`{"error":"RecordInvalid","description":"Record validation errors","details":{"base":[{"description":"Descrição: não pode ficar em branco","error":"BlankValue"}]}}`, "BlankValue", "Descrição: não pode ficar em branco"},
		"a null code":                      {`{"error":"RecordInvalid","details":{"base":[{"description":"Felt mangler","error":null}]}}`, "RecordInvalid", "Felt mangler"},
		"details as text":                  {`{"error":"RecordInvalid","details":{"name":"Name: X has already been taken"}}`, "RecordInvalid", "Name: X has already been taken"},
		"plain text":                       {`no JSON`, "422", "refused with status 422"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			item := failedItem("7", readProblem([]byte(c.body)), 422)
			if item.Code != c.code || item.Text != c.text {
				t.Errorf("code %q, text %q; want %q, %q", item.Code, item.Text, c.code, c.text)
			}
		})
	}
}
