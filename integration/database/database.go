// Package database makes and drops databases on a server that tests and benches
// have to themselves.
package database

import (
	"context"
	"fmt"
	"net/url"

	"github.com/jackc/pgx/v5"
)

// Create makes an empty database in UTF-8 and returns its connection URL: the
// server's, but for the database's name. A second one of that name is an error.
func Create(ctx context.Context, server, name string) (string, error) {
	if err := Execute(ctx, server, "create database "+pgx.Identifier{name}.Sanitize()+" template template0 encoding 'UTF8'"); err != nil {
		return "", err
	}
	u, err := url.Parse(server)
	if err != nil {
		return "", err
	}
	u.Path = "/" + name
	return u.String(), nil
}

// Drop removes a database and ends the connections to it. That there is none is
// no error.
func Drop(ctx context.Context, server, name string) error {
	return Execute(ctx, server, "drop database if exists "+pgx.Identifier{name}.Sanitize()+" with (force)")
}

// Flush writes out what the server still holds back, so that no measurement
// pays for the one before it.
func Flush(ctx context.Context, server string) error { return Execute(ctx, server, "checkpoint") }

// Execute runs a statement over a connection of its own; without arguments,
// there may be several. An error names the first of them.
func Execute(ctx context.Context, url, statements string, args ...any) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("connect to Postgres: %w", err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, statements, args...); err != nil {
		return fmt.Errorf("%.80s: %w", statements, err)
	}
	return nil
}
