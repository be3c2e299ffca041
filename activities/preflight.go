package activities

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"farewell/destination"
	"farewell/mapping"
	"farewell/migration"
)

// Preflight looks at the source and the account and says what would keep a run
// from succeeding. With a run it also opens that run in the ledger; without one
// it writes nothing.
func (a *Activities) Preflight(ctx context.Context, in migration.PreflightInput) (migration.CheckOutcome, error) {
	if in.Run != "" {
		if err := a.Ledger.BeginRun(ctx, in.Migration, in.Run, in.Options); err != nil {
			return migration.CheckOutcome{}, fmt.Errorf("open run %s in the ledger: %w", in.Run, err)
		}
	}
	var out migration.CheckOutcome
	usable, err := a.checkSource(ctx, in, &out)
	if err != nil {
		return out, err
	}
	mapped, err := a.checkMapping(ctx, in, usable, &out)
	if err != nil {
		return out, err
	}
	if usable {
		if err := a.count(ctx, in, &out); err != nil {
			return out, err
		}
	}
	if err := a.checkDestination(ctx, in, mapped, &out); err != nil {
		return out, err
	}
	if usable {
		if err := a.checkFiles(ctx, in, &out); err != nil {
			return out, err
		}
	}
	if usable && in.Migration.Destination == migration.DestinationZendesk {
		estimate(&out)
	}
	for _, f := range out.Findings {
		out.Fatal = out.Fatal || f.Fatal && !f.OK && !f.Overridden
	}
	return out, nil
}

// checkSource reports whether the customer's records can be counted at all.
func (a *Activities) checkSource(ctx context.Context, in migration.PreflightInput, out *migration.CheckOutcome) (usable bool, err error) {
	findings, err := a.Source.Check(ctx, in.Migration.Customer)
	if err != nil {
		return false, fmt.Errorf("check the source: %w", err)
	}
	usable = true
	for _, f := range findings {
		out.Findings = append(out.Findings, overridden(in.Options, migration.CheckFinding{
			Name: f.Name, OK: f.OK, Fatal: f.Fatal, Override: f.Override, Text: f.Text, Fix: f.Fix,
		}))
		usable = usable && (f.OK || !f.Fatal || f.Override != "")
	}
	return usable, nil
}

func (a *Activities) checkDestination(ctx context.Context, in migration.PreflightInput, mapped *mapping.Mapping, out *migration.CheckOutcome) error {
	known, err := a.Ledger.Known(ctx, in.Migration)
	if err != nil {
		return fmt.Errorf("ask the ledger for %s: %w", in.Migration, err)
	}
	dest, err := a.Destinations.Open(ctx, in.Migration)
	if err != nil {
		var d *destination.Error
		if !errors.As(err, &d) {
			return err
		}
		out.Findings = append(out.Findings, migration.CheckFinding{Name: "account", Fatal: true, Text: d.Error(), Fix: d.Fix})
		return nil
	}
	lane, leave := a.Reasons.join(in.Migration, dest.WaitingFor)
	defer leave()
	pulse := startPulse(ctx, func() migration.Reason { return a.Reasons.of(lane) })
	defer pulse.stopBeating()
	checks, err := dest.Preflight(ctx, destination.PreflightInput{Migration: in.Migration, LedgerEmpty: !known, Rows: out.Rows, Mapping: mapped})
	if err != nil {
		return fmt.Errorf("check account %s: %w", in.Migration.Account, err)
	}
	for _, c := range checks {
		out.Findings = append(out.Findings, overridden(in.Options, migration.CheckFinding{
			Name: c.Name, OK: c.OK, Fatal: c.Fatal, Override: c.Override, Text: c.Text, Fix: c.Fix,
		}))
	}
	return nil
}

// overridden marks a finding that the operator said to go on with.
func overridden(o migration.Options, f migration.CheckFinding) migration.CheckFinding {
	f.Overridden = !f.OK && f.Override != "" && slices.Contains(o.Override, f.Override)
	return f
}

// requestsPerMinute is what an account of the smallest plan leaves to us.
const requestsPerMinute = 160

// ticketsPerMinute is what 25 open jobs of 100 tickets at 15 s each move.
const ticketsPerMinute = 10_000

// count counts what the run has to bring.
func (a *Activities) count(ctx context.Context, in migration.PreflightInput, out *migration.CheckOutcome) error {
	out.Rows = map[migration.Entity]int64{}
	for _, e := range migration.Entities() {
		rows, err := a.Source.Count(ctx, in.Migration.Customer, e)
		if err != nil {
			return fmt.Errorf("count %s: %w", e, err)
		}
		if e == migration.Tickets && in.Options.Limit > 0 {
			rows = min(rows, in.Options.Limit)
		}
		out.Rows[e] = rows
	}
	return nil
}

// estimate says how many requests the run takes and how long. Where users go
// one by one, each takes a look-up and a creation.
func estimate(out *migration.CheckOutcome) {
	batches := (out.Rows[migration.Tickets] + 99) / 100
	people := (out.Rows[migration.Users]+99)/100 + (out.Rows[migration.Organizations]+99)/100
	out.Requests += 2*batches + 3*people // an import and a poll; a look-up, a creation and a poll
	for _, f := range out.Findings {
		if f.Name == "bulk_users" && !f.OK {
			out.Requests += 2 * out.Rows[migration.Users]
		}
	}
	out.Seconds = max(out.Requests*60/requestsPerMinute, out.Rows[migration.Tickets]*60/ticketsPerMinute)
}
