package main

import (
	"log/slog"
	"time"

	"farewell/migration"
)

// logReasons logs each migration that has begun to wait, waits for something
// else than before, or goes on. It returns what it has said.
func logReasons(log *slog.Logger, said map[migration.Migration]string, now map[migration.Migration]migration.Reason) map[migration.Migration]string {
	saying := make(map[migration.Migration]string, len(now))
	for m, r := range now {
		saying[m] = r.Code
		if said[m] == r.Code {
			continue
		}
		args := []any{"customer", m.Customer, "account", m.Account, "reason", r.Code, "text", r.Text}
		if r.Until.After(time.Now()) {
			args = append(args, "until", r.Until.UTC().Format(time.RFC3339))
		}
		log.Info("a migration waits", args...)
	}
	for m, code := range said {
		if _, waits := now[m]; !waits {
			log.Info("a migration goes on", "customer", m.Customer, "account", m.Account, "waited_for", code)
		}
	}
	return saying
}
