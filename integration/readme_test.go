package integration_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// fenced are the blocks of a language in the README's section.
func fenced(t testing.TB, section, language string) []string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(content), "\n## "+section+"\n")
	if !found {
		t.Fatalf("README.md has no section %q", section)
	}
	rest, _, _ = strings.Cut(rest, "\n## ")
	var blocks []string
	for {
		_, after, found := strings.Cut(rest, "\n```"+language+"\n")
		if !found {
			return blocks
		}
		block, after, closed := strings.Cut(after, "\n```")
		if !closed {
			t.Fatalf("a block of the section %q does not end", section)
		}
		blocks, rest = append(blocks, block), after
	}
}

// onlyBlock is the section's only block of a language.
func onlyBlock(t testing.TB, section, language string) string {
	t.Helper()
	blocks := fenced(t, section, language)
	if len(blocks) != 1 {
		t.Fatalf("the README's section %q has %d blocks of %s, want 1", section, len(blocks), language)
	}
	return blocks[0]
}

func TestCommandsOfTheReadmeMigrateACustomerOfOnesOwn(t *testing.T) {
	const section = "With your own data"
	commands := strings.Split(onlyBlock(t, section, "sh"), "\n")
	s := newStage(t, setting{tickets: 130, notSetUp: true})
	for _, table := range []string{"companies", "people", "conversations", "messages", "files"} {
		s.change("update crm." + table + " set client = 'acme'")
	}
	s.change("update crm.clients set slug = 'acme'")
	s.addAccount("acme")
	// The README's accounts file, but for the places that it names.
	accounts := strings.NewReplacer(
		"https://acme.zendesk.com", s.sandbox.URL+"/accounts/acme",
		"/srv/farewell/bundles", s.bundles,
	).Replace(onlyBlock(t, section, "csv") + "\n")
	for path, content := range map[string]string{s.accounts: accounts, filepath.Join(s.dir, "acme.secret"): "farewell-acme:secret-acme\n"} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Dir(binary(t, "starter")), filepath.Join(s.dir, "bin")); err != nil {
		t.Fatal(err)
	}

	for i, line := range commands {
		if !strings.HasPrefix(line, "bin/starter ") {
			t.Fatalf("line %d of the README's commands is %q", i+1, line)
		}
		cmd := exec.Command("sh", "-eu", "-c", line)
		cmd.Dir, cmd.Env = s.dir, s.environment()
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
		if i == 0 {
			s.startWorker() // it refuses to start before the first command, setup
		}
		if n := number(t, s.sandbox.stats("acme")["tickets"]); strings.Contains(line, "--limit 50") && n != 50 {
			t.Errorf("after %q there are %d tickets, want 50", line, n)
		}
	}
	for _, command := range []string{"setup", "check acme", "start acme --limit 50", "start acme"} {
		if !strings.Contains(strings.Join(commands, "\n")+"\n", "bin/starter "+command) {
			t.Errorf("the README does not say bin/starter %s", command)
		}
	}
	if state := s.status("acme")["state"]; state != "completed" {
		t.Errorf("after the last command the state is %s", state)
	}
	s.wantEqual("acme", "acme")
}
