package programs

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"farewell/integration/database"
)

// Stage is all that a run of the product needs of its own: a folder, an empty
// database for the source and one for the ledger, and a sandbox.
type Stage struct {
	Product
	Sandbox *Sandbox
}

// NewStage makes everything ready. The name is the stage's own on these servers,
// and that of its task queue. Whoever has a stage closes it.
func (s Servers) NewStage(ctx context.Context, name string, factor float64) (made *Stage, err error) {
	dir, err := os.MkdirTemp("", "farewell-"+name+"-")
	if err != nil {
		return nil, err
	}
	stage := &Stage{Product: Product{Servers: s, Dir: dir, Accounts: filepath.Join(dir, "accounts.csv"), Queue: name, Factor: factor}}
	defer func() {
		if err != nil {
			err = errors.Join(err, stage.Close())
		}
	}()
	if stage.Source, err = database.Create(ctx, s.Postgres, stage.sourceName()); err != nil {
		return nil, err
	}
	if stage.Ledger, err = database.Create(ctx, s.Postgres, stage.ledgerName()); err != nil {
		return nil, err
	}
	stage.Sandbox, err = s.StartSandbox(ctx, filepath.Join(dir, "sandbox.log"))
	return stage, err
}

func (s *Stage) sourceName() string { return s.Queue + "_source" }
func (s *Stage) ledgerName() string { return s.Queue + "_ledger" }

// Close ends the sandbox and drops everything, also what is still in use; of
// what was started besides, it ends nothing.
func (s *Stage) Close() error {
	if s.Sandbox != nil {
		s.Sandbox.Kill()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return errors.Join(
		database.Drop(ctx, s.Postgres, s.sourceName()), database.Drop(ctx, s.Postgres, s.ledgerName()),
		os.RemoveAll(s.Dir),
	)
}
