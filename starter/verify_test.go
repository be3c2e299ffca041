package main

import (
	"path/filepath"
	"strings"
	"testing"

	"farewell/migration"
)

func TestVerificationIsSoundOnlyWhenNothingIsMissingOrTwice(t *testing.T) {
	t.Parallel()
	of := func(change func(*migration.VerifyOutcome)) migration.VerifyOutcome {
		v := migration.VerifyOutcome{Counts: migration.EntityCounts{migration.Tickets: {Read: 10, Created: 10}}}
		change(&v)
		return v
	}
	for _, row := range []struct {
		name  string
		of    migration.VerifyOutcome
		sound bool
		says  string
	}{
		{"all there", of(func(*migration.VerifyOutcome) {}), true, "10 read, 10 settled: everything is there, once"},
		{"copies deleted", of(func(v *migration.VerifyOutcome) { v.Sweep.Repaired = 3 }), true, "3 deleted as copies of ours"},
		{"changed since", of(func(v *migration.VerifyOutcome) { v.Comparison.ChangedSince = 1 }), true, "1 changed at the source since"},
		{"twice", of(func(v *migration.VerifyOutcome) { v.Sweep.Unresolved = 2 }), false, "2 there more than once"},
		{"gone from the account", of(func(v *migration.VerifyOutcome) { v.Sweep.Missing = 1 }), false, "1 created, and not in the account any more"},
		{"without an outcome", of(func(v *migration.VerifyOutcome) { v.Comparison.Missing = 1 }), false, "1 without an outcome"},
		{"otherwise than it was sent", of(func(v *migration.VerifyOutcome) { v.ReadBack.Differing = 2 }), false, "2 read back otherwise than they were sent"},
		{"counts from three sides", of(func(v *migration.VerifyOutcome) {
			v.Comparison.Tickets, v.Sweep.InAccount, v.ReadBack.Compared = 11, 10, 7
		}), true, "tickets: 11 at the source, 10 in the ledger, 10 in the account, 7 of them read back"},
		{"from before a ledger was lost", of(func(v *migration.VerifyOutcome) {
			v.Comparison.Tickets, v.Sweep.InAccount, v.ReadBack.Compared = 10, 4, 4
		}), true, "4 of them read back, 6 made before the first run that the ledger knows, and not looked for: nothing is amiss in what was looked at"},
		{"in doubt", of(func(v *migration.VerifyOutcome) {
			v.Counts[migration.Tickets] = migration.Counts{Read: 10, Created: 9, InDoubt: 1}
		}), false, "1 in doubt"},
		{"the sum is wrong", of(func(v *migration.VerifyOutcome) {
			v.Counts[migration.Tickets] = migration.Counts{Read: 10, Created: 9}
		}), false, "10 read, 9 settled"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if got := sound(row.of); got != row.sound {
				t.Errorf("sound: %t, want %t", got, row.sound)
			}
			if words := verifiedWords(migration.Migration{Customer: "acme", Destination: migration.DestinationZendesk}, row.of); !strings.Contains(words, row.says) {
				t.Errorf("says %q, want %q in it", words, row.says)
			}
		})
	}
}

func TestVerificationOfABundleSpeaksOfNoAccount(t *testing.T) {
	t.Parallel()
	v := migration.VerifyOutcome{Counts: migration.EntityCounts{migration.Tickets: {Read: 10, Created: 10}}}
	v.Comparison.Tickets = 10
	want := "10 read, 10 settled; tickets: 10 at the source, 10 in the ledger: source and ledger agree; bin/starter verify-bundle proves the bundle"
	if got := verifiedWords(migration.Migration{Destination: migration.DestinationCSV}, v); got != want {
		t.Errorf("says %q, want %q", got, want)
	}
}

func TestVerifyBundleSaysWhatToNameWhenNothingIsThere(t *testing.T) {
	t.Parallel()
	w := newWorld("acme")
	path := filepath.Join(t.TempDir(), "acme")
	w.expect(t, exitError, "verify-bundle", path)
	w.says(t, "there is no bundle at "+path+": name its folder or its zip file")
}
