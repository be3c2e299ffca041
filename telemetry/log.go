// Package telemetry is what Farewell tells about itself: logs without secrets
// and without customers' data.
package telemetry

import (
	"io"
	"log/slog"
	"regexp"
	"strings"
)

const redacted = "[redacted]"

// secretKeys are attribute names whose values never reach a log.
var secretKeys = []string{"secret", "token", "password", "authorization", "cookie", "email", "subject", "body"}

// secretText matches what must not be logged wherever it stands: addresses,
// credentials in URLs and in headers.
var secretText = regexp.MustCompile(`[\p{L}\d._%+-]+@[\p{L}\d-]+(?:\.[\p{L}\d-]+)+|://[^/\s:@]+:[^/\s@]+@|(?i:bearer|basic)\s+[\w.~+/=-]+`)

// NewLogger writes JSON lines to w. Values under names that promise a secret,
// and addresses and credentials inside any text, are replaced: the last net,
// not the rule, which is not to log them at all.
func NewLogger(w io.Writer, level slog.Level) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: redact}))
}

func redact(_ []string, a slog.Attr) slog.Attr {
	key := strings.ToLower(a.Key)
	for _, s := range secretKeys {
		if strings.Contains(key, s) {
			return slog.String(a.Key, redacted)
		}
	}
	switch v := a.Value.Any().(type) {
	case string:
		a.Value = slog.StringValue(Redact(v))
	case error:
		a.Value = slog.StringValue(Redact(v.Error()))
	}
	return a
}

// Redact replaces addresses and credentials in a text.
func Redact(s string) string { return secretText.ReplaceAllString(s, redacted) }
