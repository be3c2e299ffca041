package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"farewell/integration/database"
	"farewell/integration/programs"
)

// views are the files of a bundle, in order.
func views() []string {
	return []string{"organizations", "users", "tickets", "ticket_tags", "comments", "attachments"}
}

// psql copies every view with one process over the Unix socket, one statement
// after the other, and brings the files to the disk.
func (b *bench) psql(ctx context.Context, c crm) (seconds float64, err error) {
	socket, err := socketURL(ctx, c.url)
	if err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp(b.dir, "psql-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	args := []string{"-X", "-q", "-d", socket}
	var files []string
	for _, view := range views() {
		file := filepath.Join(dir, view+".csv")
		files = append(files, file)
		args = append(args, "-c", fmt.Sprintf(`\copy (%s) to '%s' with (format csv, header)`, c.selects[view], file))
	}
	began := time.Now()
	if _, _, err := programs.Run(ctx, nil, "psql", args...); err != nil {
		return 0, err
	}
	for _, file := range files {
		if err := syncFile(file); err != nil {
			return 0, err
		}
	}
	if err := syncFile(dir); err != nil {
		return 0, err
	}
	return time.Since(began).Seconds(), database.Flush(ctx, b.Postgres)
}

func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// socketURL is the same database over the server's Unix socket.
func socketURL(ctx context.Context, raw string) (string, error) {
	conn, err := pgx.Connect(ctx, raw)
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	var folders string
	if err := conn.QueryRow(ctx, "show unix_socket_directories").Scan(&folders); err != nil {
		return "", err
	}
	folder, _, _ := strings.Cut(folders, ",")
	if folder == "" {
		return "", errors.New("the server has no Unix socket")
	}
	u, err := url.Parse(raw)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("host=%s port=%s dbname=%s user=%s", folder, u.Port(), strings.TrimPrefix(u.Path, "/"), u.User.Username()), nil
}
