package main

import (
	"context"
	"time"

	"farewell/ledger"
)

// budget shares an account's budget between workers through the ledger.
type budget struct {
	ledger   *ledger.Ledger
	controls *ledger.Controls
}

func (b budget) Take(ctx context.Context, account string, window time.Time, want, limit int) (int, error) {
	return b.ledger.Take(ctx, account, window, want, limit)
}

func (b budget) Pause(ctx context.Context, account string, until time.Time, why string) error {
	return b.ledger.Pause(ctx, account, until, why)
}

func (b budget) PausedUntil(account string) (time.Time, string) {
	return b.controls.PausedUntil(account)
}
