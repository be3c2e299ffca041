package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
)

// exchange is a request and its answer, as the tests of destination/zendesk
// write them down with -record.
type exchange struct {
	Test          string      `json:"test"`
	Method        string      `json:"method"`
	Address       string      `json:"address"` // path and query, below the account
	RequestHeader http.Header `json:"request_header"`
	Request       []byte      `json:"request"`
	Status        int         `json:"status"` // 0: the answer was cut
	AnswerHeader  http.Header `json:"answer_header"`
	Answer        []byte      `json:"answer"`
}

// eachExchange calls take for every line of the file.
func eachExchange(path string, take func(*exchange) error) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open the recorded exchanges: %w", err)
	}
	defer func() { _ = file.Close() }() // only read
	lines := json.NewDecoder(bufio.NewReader(file))
	for {
		var e exchange
		switch err := lines.Decode(&e); {
		case err == io.EOF:
			return nil
		case err != nil:
			return fmt.Errorf("read the recorded exchanges at byte %d: %w", lines.InputOffset(), err)
		}
		if err := take(&e); err != nil {
			return err
		}
	}
}

// ofClient tells a request of Farewell's from one that a test makes to prepare
// the account or to look at it.
func (e *exchange) ofClient() bool { return e.RequestHeader.Get("User-Agent") == "farewell" }

// location is the request's address as the OpenAPI file has it: without the
// optional suffix .json, in which Zendesk's own examples differ too.
func (e *exchange) location() (*url.URL, error) {
	u, err := url.Parse(e.Address)
	if err != nil {
		return nil, fmt.Errorf("%s: read a request's address: %w", e.Test, err)
	}
	u.Path = strings.TrimSuffix(u.Path, ".json")
	return u, nil
}
