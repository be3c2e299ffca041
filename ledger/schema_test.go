package ledger_test

import (
	"errors"
	"net/url"
	"strings"
	"sync"
	"testing"

	"farewell/integration/postgrestest"
	"farewell/ledger"
)

func TestMigrateByManyAtOnce(t *testing.T) {
	t.Parallel()
	url := postgrestest.New(t)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if err := ledger.Migrate(t.Context(), url); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	l, err := ledger.Open(t.Context(), url, ledger.Options{})
	must(t, err)
	l.Close()
}

func TestOpenNamesTheCommandWhenTheLedgerIsNotSetUp(t *testing.T) {
	t.Parallel()
	check := func(t *testing.T, url string) {
		t.Helper()
		l, err := ledger.Open(t.Context(), url, ledger.Options{})
		if err == nil {
			l.Close()
		}
		if !errors.Is(err, ledger.ErrNotSetUp) || !strings.Contains(err.Error(), "starter setup") {
			t.Errorf("open: %v", err)
		}
	}
	t.Run("no schema", func(t *testing.T) {
		t.Parallel()
		check(t, postgrestest.New(t))
	})
	t.Run("no database", func(t *testing.T) {
		t.Parallel()
		u, err := url.Parse(postgrestest.New(t))
		must(t, err)
		u.Path += "_dropped"
		check(t, u.String())
		if err := ledger.Migrate(t.Context(), u.String()); !errors.Is(err, ledger.ErrNotSetUp) || !strings.Contains(err.Error(), "create the database") {
			t.Errorf("migrate: %v", err)
		}
	})
	for name, change := range map[string]string{"older": "version - 1", "newer": "version + 1"} {
		t.Run(name+" version", func(t *testing.T) {
			t.Parallel()
			url := postgrestest.New(t)
			must(t, ledger.Migrate(t.Context(), url))
			query(t, url, "update farewell_ledger.schema_version set version = "+change)
			check(t, url)
		})
	}
}

func TestOpenQuotesNoPassword(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"postgres://u:s3cret@127.0.0.1:1/x", "postgres://u:s3cret@127.0.0.1:port/x", "host=127.0.0.1 port=1 password=s3cret sslmode=nonsense"} {
		_, err := ledger.Open(t.Context(), url, ledger.Options{})
		if err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("open: %v", err)
		}
		err = ledger.Migrate(t.Context(), url)
		if err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("migrate: %v", err)
		}
	}
}

func TestEveryConnectionIsHardened(t *testing.T) {
	t.Parallel()
	_, url := open(t)
	var name string
	query(t, url, "select application_name from pg_stat_activity where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid() limit 1", &name)
	if name != "farewell-ledger" {
		t.Errorf("application_name %q", name)
	}
}
