package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// cluster is a Postgres of its own, beside the one that holds the ledger.
type cluster struct {
	bin  string // folder of Postgres's programs
	dir  string
	url  string // a superuser's
	as   *syscall.Credential
	port int
	cmd  *exec.Cmd
}

// startCluster makes one and starts it. It is gone after stop.
func startCluster(ctx context.Context) (c *cluster, err error) {
	c = &cluster{}
	if c.bin, err = postgresPrograms(); err != nil {
		return nil, err
	}
	if c.dir, err = os.MkdirTemp("/var/tmp", "farewell-pace-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(c.dir))
		}
	}()
	if err := c.disown(); err != nil {
		return nil, err
	}
	data := filepath.Join(c.dir, "data")
	if out, err := c.command("initdb", "--pgdata", data, "--username", "postgres", "--auth", "trust", "--encoding", "UTF8", "--locale", "C.UTF-8").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	c.port = l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		return nil, err
	}
	c.url = fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", c.port)
	c.cmd = c.command("postgres", "-D", data, "-p", strconv.Itoa(c.port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=")
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	for range 100 {
		if conn, err := pgx.Connect(ctx, c.url); err == nil {
			return c, conn.Close(ctx)
		}
		pause(ctx, 200*time.Millisecond)
	}
	return nil, errors.Join(errors.New("the source's Postgres does not answer"), c.stop())
}

// disown hands the folder to somebody else when we are root, whom Postgres
// refuses.
func (c *cluster) disown() error {
	if os.Getuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, _ := strconv.Atoi(u.Uid) // a number on every Unix
		gid, _ := strconv.Atoi(u.Gid)
		c.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		return os.Chown(c.dir, uid, gid)
	}
	return errors.New("run the bench as another user than root: there is neither postgres nor nobody here")
}

func (c *cluster) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(c.bin, program), args...)
	cmd.Dir = c.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.as}
	return cmd
}

func (c *cluster) stop() error {
	err := c.cmd.Process.Signal(syscall.SIGINT)
	_ = c.cmd.Wait() // an interrupted Postgres may end with any code
	return errors.Join(err, os.RemoveAll(c.dir))
}

// postgresPrograms is the folder with initdb and pgbench.
func postgresPrograms() (string, error) {
	var folders []string
	if out, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		folders = append(folders, strings.TrimSpace(string(out)))
	}
	distribution, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", err
	}
	slices.Reverse(distribution)
	for _, folder := range append(folders, distribution...) {
		if _, err := os.Stat(filepath.Join(folder, "pgbench")); err == nil {
			return folder, nil
		}
	}
	return "", errors.New("pgbench was not found: install Postgres's own programs (postgresql-contrib)")
}
