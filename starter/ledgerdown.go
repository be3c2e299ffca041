package main

import (
	"errors"
	"fmt"

	"farewell/ledger"
)

// ledgerDown adds what an operator can do. A ledger that was not set up says
// so itself.
func ledgerDown(err error) error {
	if errors.Is(err, ledger.ErrNotSetUp) {
		return err
	}
	return fmt.Errorf("%w: is the Postgres of FAREWELL_LEDGER_URL up? ./temporal-dev.sh up starts one here", err)
}
