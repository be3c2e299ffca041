package config

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// columns is the header of the accounts file.
var columns = []string{"customer", "destination", "account", "url", "plan_per_minute", "reserved_percent", "auth", "secret_ref"}

// agentColumn may follow: who stands for the source's agents that the account
// does not have.
const agentColumn = "agent"

// defaultReserved is the share of an account's requests that is left to its
// other integrations when the file does not say.
const defaultReserved = 20

// ReadAccounts reads the accounts file. It reads no secret: each account's
// Secret does that at each use. Errors name file, line, column and what to put
// there, and never the content of secret_ref, which may be a secret that was
// pasted into the wrong place.
func ReadAccounts(path string) (Accounts, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the accounts file: %w; FAREWELL_ACCOUNTS names it, a line per customer: %s",
			err, strings.Join(columns, ","))
	}
	return parseAccounts(path, string(text))
}

func parseAccounts(path, text string) (Accounts, error) {
	r := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\ufeff")))
	r.FieldsPerRecord = -1 // the number is checked with a message of our own
	header, err := readHeader(path, r)
	if err != nil {
		return nil, err
	}
	seen := seenAccounts{}
	var accounts Accounts
	for {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			return accounts, nil
		}
		if err != nil {
			return nil, syntaxError(path, err)
		}
		l := line{columns: header, path: path, fields: fields, position: r.FieldPos, folder: filepath.Dir(path)}
		account, err := l.account()
		if err != nil {
			return nil, err
		}
		if err := seen.add(l, account); err != nil {
			return nil, err
		}
		accounts = append(accounts, account)
	}
}

func readHeader(path string, r *csv.Reader) ([]string, error) {
	header, err := r.Read()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s:1:1: the file is empty: its first line must be %s", path, strings.Join(columns, ","))
	}
	if err != nil {
		return nil, syntaxError(path, err)
	}
	for i := range header {
		header[i] = strings.TrimSpace(header[i])
	}
	if slices.Equal(header, columns) || slices.Equal(header, append(slices.Clone(columns), agentColumn)) {
		return header, nil
	}
	at := 0
	for at < len(header) && at < len(columns) && header[at] == columns[at] {
		at++
	}
	lineNumber, column := 1, 1
	if at < len(header) {
		lineNumber, column = r.FieldPos(at)
	}
	return nil, fmt.Errorf("%s:%d:%d: the header is not as expected: the first line must be %s, and %s where that is wanted",
		path, lineNumber, column, strings.Join(columns, ","), agentColumn)
}

// syntaxError translates what encoding/csv found; its errors quote no content.
func syntaxError(path string, err error) error {
	var parse *csv.ParseError
	if !errors.As(err, &parse) {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return fmt.Errorf("%s:%d:%d: not a CSV line: %w; a field with a quote or comma goes in double quotes, a quote inside it is doubled",
		path, parse.Line, parse.Column, parse.Err)
}
