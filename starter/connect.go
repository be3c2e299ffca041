package main

import (
	"context"

	"farewell/config"
	"farewell/ledger"
	"farewell/migration"
)

// operatorConns is how many connections to the ledger one call of the tool
// takes at most; an operator may have several watches open.
const operatorConns = 2

// openSession reads the accounts file and connects to the ledger. Temporal is
// connected to when it is first asked.
func openSession(ctx context.Context, cfg config.Config) (*session, error) {
	accounts, err := config.ReadAccounts(cfg.AccountsFile)
	if err != nil {
		return nil, err
	}
	opening, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	l, err := ledger.Open(opening, cfg.LedgerURL, ledger.Options{MaxConns: operatorConns})
	if err != nil {
		return nil, ledgerDown(err)
	}
	t, err := openTemporal(cfg)
	if err != nil {
		l.Close()
		return nil, err
	}
	return &session{
		cfg: cfg, accounts: accounts, memory: ledgerMemory{l}, temporal: t,
		close: func() { t.client.Close(); l.Close() },
	}, nil
}

// ledgerMemory is the memory on the real ledger.
type ledgerMemory struct{ *ledger.Ledger }

func (l ledgerMemory) Runs(ctx context.Context, of *migration.Migration, active bool) ([]migration.RunRecord, error) {
	return l.Ledger.Runs(ctx, ledger.RunFilter{Migration: of, Active: active})
}
