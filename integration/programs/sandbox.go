package programs

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Sandbox is a running `sandbox serve`, the stand-in for Zendesk.
type Sandbox struct {
	*Process
	Control
}

// StartSandbox runs one on a free port. It has no account yet.
func (s Servers) StartSandbox(ctx context.Context, log string) (*Sandbox, error) {
	const word = "sandbox listens on "
	p, line, err := Start(ctx, log, word, nil, s.Programs+"/sandbox", "serve", "--listen", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	_, url, _ := strings.Cut(strings.TrimSpace(line), word)
	return &Sandbox{Process: p, Control: Control{URL: url}}, nil
}

// Control is a sandbox's own API, for what Zendesk's has no word for; see
// docs/sandbox.md.
type Control struct {
	URL string // of the sandbox
}

// AccountURL is where an account's API begins.
func (c Control) AccountURL(account string) string { return c.URL + "/accounts/" + account }

// SetAccount changes settings of an account, which it makes if it has to, and
// returns the token of the account's API.
func (c Control) SetAccount(ctx context.Context, account string, settings map[string]any) (token string, err error) {
	var made struct {
		Token string `json:"token"`
	}
	err = c.Call(ctx, http.MethodPut, "accounts/"+account+"/settings", settings, &made)
	return made.Token, err
}

// Stats reads what an account has counted.
func (c Control) Stats(ctx context.Context, account string, into any) error {
	return c.Call(ctx, http.MethodGet, "accounts/"+account+"/stats", nil, into)
}

// EmptyAccount drops what an account holds: the machine's memory is for the next
// run.
func (c Control) EmptyAccount(ctx context.Context, account string) error {
	return c.Call(ctx, http.MethodPost, "accounts/"+account+"/reset", nil, nil)
}

// Call asks, with in as JSON (nil: without a body), and reads the answer's JSON
// into out, unless that is nil. path is what stands below /_sandbox/.
func (c Control) Call(ctx context.Context, method, path string, in, out any) error {
	answer, err := c.Ask(ctx, method, path, in)
	if err != nil || out == nil {
		return err
	}
	return json.Unmarshal(answer, out)
}

// Ask is Call for an answer that is not one JSON value.
func (c Control) Ask(ctx context.Context, method, path string, in any) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var body io.Reader
	if in != nil {
		encoded, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.URL+"/_sandbox/"+path, body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode >= http.StatusMultipleChoices {
		err = fmt.Errorf("%s %s of the sandbox: %s: %.1000s", method, path, response.Status, answer)
	}
	return answer, err
}
