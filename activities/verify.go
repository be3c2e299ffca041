package activities

import (
	"context"
	"fmt"

	"farewell/ledger"
	"farewell/migration"
)

// Verify repeats, at any time after a run, what ends every run: the comparison
// of the source's ids with the ledger, the sweep, over everything that the
// migration's runs have made, and the read-back, of what nobody has changed in
// the account since. It brings nothing.
func (a *Activities) Verify(ctx context.Context, in migration.VerifyCustomerInput) (migration.VerifyOutcome, error) {
	run, err := a.newestRun(ctx, in.Migration)
	if err != nil {
		return migration.VerifyOutcome{}, err
	}
	began, err := a.Ledger.FirstBegan(ctx, in.Migration)
	if err != nil {
		return migration.VerifyOutcome{}, fmt.Errorf("ask the ledger when %s began: %w", in.Migration, err)
	}
	compared, err := a.CompareSource(ctx, migration.CompareInput{
		Migration: in.Migration, Run: run.Run, Final: true, Limited: run.Limit > 0,
	})
	if err != nil {
		return migration.VerifyOutcome{}, err
	}
	swept, err := a.sweep(ctx, migration.SweepInput{Migration: in.Migration, Run: run.Run, Repair: in.Repair}, ledger.Unswept{Since: began})
	if err != nil {
		return migration.VerifyOutcome{}, err
	}
	back, err := a.ReadBack(ctx, migration.ReadBackInput{Migration: in.Migration, Run: run.Run, Since: run.EndedAt})
	if err != nil {
		return migration.VerifyOutcome{}, err
	}
	counts, err := a.Ledger.ExactCounts(ctx, in.Migration, run.Run)
	return migration.VerifyOutcome{Counts: counts, Comparison: compared.Comparison, Sweep: swept, ReadBack: back}, err
}
