package telemetry

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
)

func TestLoggerWritesNoSecretAndNoAddress(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		attr   slog.Attr
		hidden string
	}{
		{"a token by name", slog.String("access_token", "s3cr3t"), "s3cr3t"},
		{"an e-mail by name", slog.String("email", "ann"), "ann"},
		{"an address in a text", slog.String("note", "user ann.lee@example.org not found"), "ann.lee@example.org"},
		{"an address with umlauts", slog.String("note", "jörg@müller.example is taken"), "jörg@müller.example"},
		{"a password in a URL", slog.Any("error", errors.New("dial postgres://joe:hunter2@db/crm")), "hunter2"},
		{"a bearer token in an error", slog.Any("error", errors.New("sent Authorization: Bearer abc.def")), "abc.def"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			NewLogger(&out, slog.LevelInfo).Info("something happened", row.attr)
			if strings.Contains(out.String(), row.hidden) {
				t.Errorf("the log shows %q: %s", row.hidden, out.String())
			}
			if !strings.Contains(out.String(), redacted) {
				t.Errorf("the log does not say that something was left out: %s", out.String())
			}
		})
	}
}

func TestLoggerKeepsWhatExplains(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	NewLogger(&out, slog.LevelInfo).Info("batch settled", "batch", "0a1b", "customer", "acme", "records", 100)
	for _, want := range []string{"batch settled", `"batch":"0a1b"`, `"customer":"acme"`, `"records":100`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the log lacks %s: %s", want, out.String())
		}
	}
}
