package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"farewell/destination/zendesk/zendesktest"
	"farewell/sandbox/samplecrm"
)

// drain is how long requests that are being answered may take once the process is told to stop.
const drain = 5 * time.Second

func newServeCommand() *cobra.Command {
	var listen, data string
	serve := &cobra.Command{
		Use:   "serve",
		Short: "Serve pretended Zendesk accounts until SIGTERM or SIGINT",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runServe(cmd, listen, data)
		},
	}
	serve.Flags().StringVar(&listen, "listen", "127.0.0.1:4480", "address to listen on")
	serve.Flags().StringVar(&data, "data", "", "directory that keeps the accounts over a restart (default: memory only)")
	return serve
}

func runServe(cmd *cobra.Command, address, data string) (err error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("listen on %s: %w; stop what uses the port, or give another --listen", address, err)
	}
	fake, err := zendesktest.New(zendesktest.Options{DataDir: data})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer func() { err = errors.Join(err, fake.Close()) }()
	server := &http.Server{Handler: withFiles(fake), ReadHeaderTimeout: 30 * time.Second}
	fmt.Fprintf(cmd.OutOrStdout(), "sandbox listens on http://%s\n", listener.Addr())
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-cmd.Context().Done():
	}
	ctx, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("stop serving: %w", err), server.Close())
	}
	return nil
}

// sampleFiles is where the sample CRM's own file server is, beside the pretended
// Zendesk.
const sampleFiles = "/sample-files"

func withFiles(accounts http.Handler) http.Handler {
	files := samplecrm.FileServer()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, sampleFiles+"/") {
			files.ServeHTTP(w, r)
			return
		}
		accounts.ServeHTTP(w, r)
	})
}
