package main

import (
	"cmp"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// sampleTimeFactor is by how much the sandbox and the worker's own waits are
// shortened, so that the demo's jobs take a second and not fifteen.
const sampleTimeFactor = "20"

// variables are what bin/starter and bin/worker need to know, as KEY=VALUE.
func (e environment) variables() []string {
	vars := []string{
		"FAREWELL_SOURCE_URL=" + e.settings.sourceURL(),
		"FAREWELL_LEDGER_URL=" + e.settings.ledgerURL(),
		"TEMPORAL_ADDRESS=" + e.settings.temporalAddress(),
		"TEMPORAL_NAMESPACE=" + e.settings.namespace(),
		"FAREWELL_ACCOUNTS=" + cmp.Or(e.settings.givenAccounts, e.sampleAccounts()),
		"FAREWELL_ATTACHMENT_ORIGINS=" + cmp.Or(e.settings.givenOrigins, e.settings.sandboxURL()),
		"FAREWELL_ATTACHMENT_BUCKET=" + cmp.Or(e.settings.givenBucket, bucketURL(e.files())),
		"FAREWELL_TIME_FACTOR=" + e.settings.timeFactor(),
	}
	if ui := e.settings.webUI(); ui != "" {
		vars = append(vars, "FAREWELL_TEMPORAL_UI="+ui)
	}
	return vars
}

// bucketURL is a folder as the worker's bucket. It is made, since a sample that
// was filled in elsewhere leaves none here.
func bucketURL(folder string) string {
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(folder), RawQuery: "create_dir=true"}).String()
}

// sampleAccounts is the accounts file of the sample customers.
func (e environment) sampleAccounts() string { return e.checkout.dev("accounts.csv") }

// writeEnvFile writes .dev/env. Connection URLs may hold a password, so only
// the owner may read it.
func (e environment) writeEnvFile() error {
	text := "# Written by temporal-dev.sh; bin/starter and bin/worker read it when run in this checkout.\n" +
		strings.Join(e.variables(), "\n") + "\n"
	if err := writeFileAtomically(e.checkout.dev("env"), []byte(text)); err != nil {
		return fmt.Errorf("write .dev/env: %w", err)
	}
	return nil
}

// writeFileAtomically leaves either the old file or the whole new one.
func writeFileAtomically(path string, data []byte) error {
	next := path + ".new"
	if err := os.WriteFile(next, data, 0o600); err != nil {
		return err
	}
	return os.Rename(next, path)
}
