package main

import (
	"bytes"
	"encoding/csv"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"farewell/destination/zendesk/zendesktest"
	"farewell/integration/postgrestest"
)

func fillSample(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	command := newFillCommand()
	command.SetArgs(args)
	command.SetOut(&out)
	command.SetErr(&out)
	err := command.ExecuteContext(t.Context())
	return out.String(), err
}

func TestFillSaysWhatItDidAndThatNothingIsLeftToDo(t *testing.T) {
	t.Parallel()
	args := []string{"--source", postgrestest.New(t), "--customers", "2", "--tickets", "7", "--seed", "5"}
	out, err := fillSample(t, args...)
	if err != nil || !strings.Contains(out, "filled in 2 customers") || !strings.Contains(out, "14 tickets") {
		t.Fatalf("%q, %v", out, err)
	}
	out, err = fillSample(t, args...)
	if err != nil || !strings.HasPrefix(out, "nothing to do: the sample is there: 2 customers") {
		t.Fatalf("%q, %v", out, err)
	}
}

func TestFillWritesAnAccountForEachCustomerWhoseCredentialsWork(t *testing.T) {
	t.Parallel()
	fake, err := zendesktest.New(zendesktest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(fake)
	t.Cleanup(server.Close)
	dir := t.TempDir()
	file := filepath.Join(dir, "accounts.csv")
	if _, err := fillSample(t, "--source", postgrestest.New(t), "--customers", "6", "--tickets", "1",
		"--accounts", file, "--sandbox", server.URL, "--bundles", filepath.Join(dir, "out")); err != nil {
		t.Fatal(err)
	}
	lines := readCSV(t, file)
	if len(lines) != 7 || strings.Join(lines[0], ",") != "customer,destination,account,url,plan_per_minute,reserved_percent,auth,secret_ref,agent" {
		t.Fatalf("%d lines: %v", len(lines), lines)
	}
	auths := map[string]int{}
	for _, line := range lines[1:] {
		auths[line[6]]++
		if line[1] == "csv" {
			if line[2] != line[0]+"-csv" || line[3] != filepath.Join(dir, "out") || line[7] != "" {
				t.Errorf("line %v", line)
			}
			continue
		}
		wantCredentialsWork(t, line)
	}
	if auths["bearer"] != 2 || auths["api_token"] != 1 || auths["oauth_client_credentials"] != 1 || auths[""] != 2 {
		t.Errorf("kinds of credentials: %v", auths)
	}
}

// wantCredentialsWork asks the account who the credentials of the line are.
func wantCredentialsWork(t *testing.T, line []string) {
	t.Helper()
	path, ok := strings.CutPrefix(line[7], "file:")
	info, err := os.Stat(path)
	if !ok || err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("secret %s: %v, %v", line[7], info, err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	secret := strings.TrimSpace(string(content))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, line[3]+"/api/v2/tickets.json", nil)
	if err != nil {
		t.Fatal(err)
	}
	switch line[6] {
	case "bearer":
		req.Header.Set("Authorization", "Bearer "+secret)
	case "api_token":
		email, token, _ := strings.Cut(secret, ":")
		req.SetBasicAuth(email+"/token", token)
	case "oauth_client_credentials":
		id, clientSecret, _ := strings.Cut(secret, ":")
		req, err = http.NewRequestWithContext(t.Context(), http.MethodPost, line[3]+"/oauth/tokens", strings.NewReader(
			`{"grant_type":"client_credentials","scope":"read write","client_id":"`+id+`","client_secret":"`+clientSecret+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= http.StatusMultipleChoices { // a token is created, a list is shown
		t.Errorf("%s: %s", line[6], resp.Status)
	}
}

func TestFillWithoutASandboxSaysHowToStartIt(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "accounts.csv")
	_, err := fillSample(t, "--source", postgrestest.New(t), "--tickets", "1", "--accounts", file, "--sandbox", "http://127.0.0.1:1")
	if err == nil || !strings.Contains(err.Error(), "sandbox serve") {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("the accounts file: %v", err)
	}
}

func readCSV(t *testing.T, path string) [][]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return lines
}
