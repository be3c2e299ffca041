package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"farewell/integration/database"
	"farewell/integration/programs"
	"farewell/migration"
)

// factor is how much faster than Zendesk all time passes. An upload is too old
// to be sent after 75 s then, which twenty large files need not.
const factor = 20

// world is everything that one migration needs, in processes of its own. Its
// account is called as its task queue.
type world struct {
	*programs.Stage
	worker *programs.Process
}

// build makes databases, sandbox, account and a worker that may fetch from the
// origin. schema is what the source holds.
func build(ctx context.Context, origin, schema string) (made *world, err error) {
	servers, err := programs.GivenServers("bench-attachments")
	if err != nil {
		return nil, err
	}
	stage, err := servers.NewStage(ctx, fmt.Sprintf("files-%d", os.Getpid()), factor)
	if err != nil {
		return nil, err
	}
	w := &world{Stage: stage}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	if err := database.Execute(ctx, w.Source, schema); err != nil {
		return nil, err
	}
	token, err := w.Sandbox.SetAccount(ctx, w.Queue, map[string]any{"plan_per_minute": plan, "time_scale": factor, "bulk_users": true})
	if err != nil {
		return nil, err
	}
	w.Further = []string{"FAREWELL_ATTACHMENT_ORIGINS=" + origin, "FILES_TOKEN=" + token}
	line := []string{"acme", migration.DestinationZendesk, w.Queue, w.Sandbox.AccountURL(w.Queue), strconv.Itoa(plan), "0", "bearer", "env:FILES_TOKEN"}
	if err := w.WriteAccounts(line); err != nil {
		return nil, err
	}
	if _, err := w.Starter(ctx, "setup"); err != nil {
		return nil, err
	}
	w.worker, err = w.StartWorker(ctx, filepath.Join(w.Dir, "worker.log"))
	return w, err
}

// close ends what was started; nothing of it is needed any more.
func (w *world) close() {
	if w.worker != nil {
		w.worker.Kill()
	}
	if err := w.Stage.Close(); err != nil {
		fmt.Fprintln(os.Stderr, "files:", err)
	}
}
