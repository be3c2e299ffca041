// Package postgrestest gives each test a Postgres database of its own.
package postgrestest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// EnvURL names the variable with a superuser's connection URL of the test
// server. `make test` starts such a server and sets it.
const EnvURL = "FAREWELL_TEST_POSTGRES_URL"

// New creates an empty database and returns its connection URL. The database
// is dropped, connections to it included, when the test ends. Without a server
// the test fails: a skipped test would look like a passed one.
func New(t testing.TB) string {
	t.Helper()
	server := os.Getenv(EnvURL)
	if server == "" {
		t.Fatalf("no Postgres to test against: run `make test`, or set %s", EnvURL)
	}
	name := "test_" + randomName()
	execute(t, server, "create database "+name+" template template0 encoding 'UTF8'")
	t.Cleanup(func() { execute(t, server, "drop database "+name+" with (force)") })

	u, err := url.Parse(server)
	if err != nil {
		t.Fatalf("parse %s: %v", EnvURL, err)
	}
	u.Path = "/" + name
	return u.String()
}

func execute(t testing.TB, server, statement string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		t.Fatalf("connect to the test server: %v", err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func randomName() string {
	var b [8]byte
	if _, err := rand.Read(b[:]); err != nil {
		panic(err) // crypto/rand does not fail on any platform that we build for
	}
	return hex.EncodeToString(b[:])
}
