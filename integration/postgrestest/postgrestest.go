// Package postgrestest gives each test a Postgres database of its own.
package postgrestest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"os"
	"testing"
	"time"

	"farewell/integration/database"
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
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	url, err := database.Create(ctx, server, name)
	if err != nil {
		t.Fatalf("on the test server: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		if err := database.Drop(ctx, server, name); err != nil {
			t.Errorf("on the test server: %v", err)
		}
	})
	return url
}

// limit is how long making or dropping a database may take.
const limit = 30 * time.Second

func randomName() string {
	var b [8]byte
	if _, err := rand.Read(b[:]); err != nil {
		panic(err) // crypto/rand does not fail on any platform that we build for
	}
	return hex.EncodeToString(b[:])
}
