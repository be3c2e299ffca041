package main

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// process is a running `sandbox serve`.
type process struct {
	cmd *exec.Cmd
	url string
}

func buildSandbox(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "sandbox")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return binary
}

func startServe(t *testing.T, binary string, args ...string) process {
	t.Helper()
	cmd := exec.Command(binary, append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill() //nolint:errcheck // it has ended already, unless the test failed
		cmd.Wait()         //nolint:errcheck // the same
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return process{cmd: cmd, url: strings.TrimSpace(strings.TrimPrefix(line, "sandbox listens on "))}
}

func (p process) call(t *testing.T, method, path, body string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, p.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer sandbox-acme")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= 300 {
		t.Fatalf("%s %s: %s %s %v", method, path, response.Status, text, err)
	}
	return string(text)
}

func TestServeKeepsAcknowledgedTicketsOverSIGKILLAndStopsOnSIGTERM(t *testing.T) {
	t.Parallel()
	binary, data := buildSandbox(t), t.TempDir()
	first := startServe(t, binary, "--data", data)
	first.call(t, "PUT", "/_sandbox/accounts/acme/settings", `{"seconds_per_ticket":0}`)
	first.call(t, "POST", "/accounts/acme/api/v2/imports/tickets/create_many.json", `{"tickets":[{"external_id":"kept","comments":[{"value":"c"}]}]}`)
	if err := first.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	first.cmd.Wait() //nolint:errcheck // it was killed, and says so

	second := startServe(t, binary, "--data", data)
	if tickets := second.call(t, "GET", "/_sandbox/accounts/acme/tickets.ndjson", ""); !strings.Contains(tickets, `"external_id":"kept"`) {
		t.Errorf("after the kill there is %q", tickets)
	}
	if err := second.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := second.cmd.Wait(); err != nil {
		t.Errorf("SIGTERM: %v", err)
	}
}

func TestServeNamesThePortThatIsTaken(t *testing.T) {
	t.Parallel()
	binary := buildSandbox(t)
	running := startServe(t, binary)
	address := strings.TrimPrefix(running.url, "http://")
	out, err := exec.Command(binary, "serve", "--listen", address).CombinedOutput()
	if err == nil || !strings.Contains(string(out), address) || !strings.Contains(string(out), "--listen") {
		t.Errorf("a second sandbox on %s says %q, %v", address, out, err)
	}
}
