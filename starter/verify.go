package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"farewell/migration"
)

func (a *app) verifyCommand() *cobra.Command {
	var who choice
	var out format
	var repair bool
	cmd := &cobra.Command{
		Use:     "verify CUSTOMER… | --all",
		GroupID: groupLook,
		Short:   "Compare source, ledger and account once more",
		Long: `Compare source, ledger and account once more, as every run does at its end: the
source's ids with the ledger's outcomes, the account's tickets with the ledger,
for what is there twice or not any more, and a sample of the tickets, with the
largest and oddest, with what was sent, field by field.

It changes nothing, unless --repair is given: then tickets that are provably
copies of ours are deleted. Exit code 4 says that something is not as it should
be.`,
		Example: examples(program+" verify acme", program+" verify acme --repair"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := who.take(cmd, args); err != nil {
				return err
			}
			if err := out.check(); err != nil {
				return err
			}
			return a.within(cmd.Context(), func(s *session) error { return a.verify(cmd.Context(), s, who, repair, out) })
		},
	}
	who.flags(cmd)
	out.flag(cmd, "json")
	cmd.Flags().BoolVar(&repair, "repair", false, "delete tickets that are provably copies of ours")
	return cmd
}

// verified is one migration's result.
type verified struct {
	Customer    string `json:"customer"`
	Destination string `json:"destination"`
	Account     string `json:"account"`
	migration.VerifyOutcome
	OK    bool   `json:"ok"`
	Error string `json:"error,omitempty"`
}

func (a *app) verify(ctx context.Context, s *session, who choice, repair bool, out format) error {
	of, err := newObserver(s, a.now).choose(ctx, who)
	if err != nil {
		return err
	}
	if err := a.needWorker(ctx, s, "it reads source and account"); err != nil {
		return err
	}
	var results []verified
	code := 0
	for _, m := range of {
		v := verified{Customer: m.Customer, Destination: m.Destination, Account: m.Account}
		v.VerifyOutcome, err = a.verifyOne(ctx, s, m, repair)
		switch {
		case ctx.Err() != nil:
			a.warnf("waiting ended; the verification of %s goes on. Come back with: %s", clean(m.Customer), s.again("verify", of...))
			return exit(exitInterrupted)
		case err != nil:
			v.Error, code = err.Error(), exitError
			a.warnf("%s: %v", clean(m.Customer), clean(v.Error))
		default:
			if v.OK = sound(v.VerifyOutcome); !v.OK && code == 0 {
				code = exitAttention
			}
			if !out.json() {
				a.printf("%s: %s", clean(m.String()), verifiedWords(m, v.VerifyOutcome))
			}
		}
		results = append(results, v)
	}
	if out.json() {
		if err := a.writeJSON(results); err != nil {
			return err
		}
	}
	if code != 0 {
		return exit(code)
	}
	return nil
}

// verifyOne keeps away from a run that goes on: what that has sent and not
// settled yet would look like something that nobody knows.
func (a *app) verifyOne(ctx context.Context, s *session, m migration.Migration, repair bool) (migration.VerifyOutcome, error) {
	runs, err := s.memory.Runs(ctx, &m, true)
	if err != nil {
		return migration.VerifyOutcome{}, err
	}
	if len(runs) > 0 {
		return migration.VerifyOutcome{}, fmt.Errorf("a run goes on, and verifies itself when it ends: wait for it with %s", s.again("watch", m))
	}
	return s.temporal.Verify(ctx, m, repair)
}

// sound tells whether everything is as it should be. What changed at the source
// since is no fault.
func sound(v migration.VerifyOutcome) bool {
	total := v.Counts.Total()
	return total.InDoubt == 0 && total.Conserved() && v.Comparison.Missing == 0 && v.Sweep.Unresolved == 0 && v.Sweep.Missing == 0 && v.ReadBack.Differing == 0
}

func verifiedWords(m migration.Migration, v migration.VerifyOutcome) string {
	total := v.Counts.Total()
	words := fmt.Sprintf("%s read, %s settled", number(total.Read), number(total.Settled()))
	for _, part := range []struct {
		n    int64
		what string
	}{
		{total.InDoubt, "in doubt"},
		{v.Comparison.Missing, "without an outcome"},
		{v.Sweep.Missing, "created, and not in the account any more"},
		{v.Sweep.Unresolved, "there more than once"},
		{v.Sweep.Repaired, "deleted as copies of ours"},
		{v.ReadBack.Differing, "read back otherwise than they were sent, see starter failures"},
		{v.Comparison.ArrivedLate, "came to the source since"},
		{v.Comparison.ChangedSince, "changed at the source since"},
		{v.Comparison.DeletedAtSource, "deleted at the source since"},
	} {
		if part.n > 0 {
			words += fmt.Sprintf(", %s %s", number(part.n), part.what)
		}
	}
	all := true
	if tickets := v.Counts[migration.Tickets]; v.Comparison.Tickets+v.Sweep.InAccount > 0 {
		settled := tickets.Created + tickets.AlreadyThere
		words += fmt.Sprintf("; tickets: %s at the source, %s in the ledger", number(v.Comparison.Tickets), number(settled))
		if m.Destination == migration.DestinationZendesk {
			words += fmt.Sprintf(", %s in the account, %s of them read back", number(v.Sweep.InAccount), number(v.ReadBack.Compared))
			if earlier := settled - v.Sweep.InAccount - v.Sweep.Missing; earlier > 0 {
				words += fmt.Sprintf(", %s made before the first run that the ledger knows, and not looked for", number(earlier))
				all = false
			}
		}
	}
	switch {
	case !sound(v):
		return words
	case m.Destination == migration.DestinationCSV:
		return words + ": source and ledger agree; " + program + " verify-bundle proves the bundle"
	case all:
		return words + ": everything is there, once"
	}
	return words + ": nothing is amiss in what was looked at"
}
