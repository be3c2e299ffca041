package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
)

// oldestPostgres is the oldest major version that Postgres itself still
// supports: https://www.postgresql.org/support/versioning/
const oldestPostgres = 14

// postgresBinaries is a folder with postgres and initdb.
type postgresBinaries struct {
	dir   string
	major int
}

func (b postgresBinaries) path(program string) string { return filepath.Join(b.dir, program) }

// ensurePostgres finds Postgres on this machine or gets it, and a user to run
// it. wantMajor, unless 0, is the version that made the data directory.
func (e environment) ensurePostgres(ctx context.Context, wantMajor int) (postgresBinaries, *unixUser, error) {
	if b, runAs, found := e.findPostgres(wantMajor); found {
		return b, runAs, nil
	}
	var failed error
	if os.Geteuid() == 0 {
		if failed = e.installPackage(ctx); failed == nil {
			if b, runAs, found := e.findPostgres(wantMajor); found {
				return b, runAs, nil
			}
		}
	}
	if err := e.downloadPostgres(); err != nil {
		return postgresBinaries{}, nil, fmt.Errorf("no Postgres %d or newer on this machine, and getting one failed: "+
			"install PostgreSQL, or set FAREWELL_SOURCE_URL and FAREWELL_LEDGER_URL: %w", oldestPostgres, joinAttempts(failed, err))
	}
	if b, runAs, found := e.findPostgres(wantMajor); found {
		return b, runAs, nil
	}
	if wantMajor != 0 {
		return postgresBinaries{}, nil, fmt.Errorf("the data in .dev was made by PostgreSQL %d, which is no longer installed: "+
			"install it again, or delete the data with ./temporal-dev.sh reset", wantMajor)
	}
	return postgresBinaries{}, nil, fmt.Errorf("postgres was downloaded to %s but does not run there", e.embeddedPostgres())
}

func joinAttempts(packageErr, downloadErr error) error {
	if packageErr == nil {
		return downloadErr
	}
	return fmt.Errorf("%w; %w", packageErr, downloadErr)
}

// findPostgres prefers what is on PATH, then the newest.
func (e environment) findPostgres(wantMajor int) (postgresBinaries, *unixUser, bool) {
	for _, dir := range e.postgresFolders() {
		b, ok := readBinaries(dir)
		if !ok || (wantMajor != 0 && b.major != wantMajor) {
			continue
		}
		if os.Geteuid() != 0 {
			return b, nil, true
		}
		if runAs, found := unprivilegedUser(b); found {
			return b, runAs, true
		}
	}
	return postgresBinaries{}, nil, false
}

// postgresFolders are where distributions put the server's programs; most do
// not put them on PATH.
func (e environment) postgresFolders() []string {
	var folders []string
	if initdb, err := exec.LookPath("initdb"); err == nil {
		folders = append(folders, filepath.Dir(initdb))
	}
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin",         // Debian, Ubuntu
		"/usr/pgsql-*/bin",                  // Postgres's own packages for Fedora and its kin
		"/usr/libexec/postgresql*",          // Alpine
		"/opt/homebrew/opt/postgresql*/bin", // Homebrew
		"/usr/local/opt/postgresql*/bin",    // Homebrew on Intel
		filepath.Join(e.embeddedPostgres(), "bin"),
	} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			panic(err) // the patterns are constant
		}
		slices.Reverse(found) // the newest first
		folders = append(folders, found...)
	}
	return folders
}

var postgresVersion = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

func readBinaries(dir string) (postgresBinaries, bool) {
	b := postgresBinaries{dir: dir}
	if _, err := os.Stat(b.path("initdb")); err != nil {
		return b, false
	}
	out, err := exec.Command(b.path("postgres"), "--version").Output()
	if err != nil {
		return b, false
	}
	match := postgresVersion.FindSubmatch(out)
	if match == nil {
		return b, false
	}
	b.major, _ = strconv.Atoi(string(match[1])) // only digits match
	return b, b.major >= oldestPostgres
}

// unprivilegedUser is who runs Postgres for root, which it refuses to run as:
// an existing user that can read its programs.
func unprivilegedUser(b postgresBinaries) (*unixUser, bool) {
	for _, name := range []string{"postgres", "nobody", "daemon"} {
		u, err := lookupUnixUser(name)
		if err == nil && u.canRun("/", b.path("postgres"), "--version") {
			return u, true
		}
	}
	return nil, false
}
