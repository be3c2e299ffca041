package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// Exit codes of bin/starter that the demo knows.
const exitWithFailures = 3 // completed with failures

// demo migrates the sample customers before the viewer's eyes, and kills the
// worker on the way.
func (e environment) demo(ctx context.Context) error {
	if e.settings.givenAccounts != "" {
		return errors.New("the demo starts every migration of the accounts file, and FAREWELL_ACCOUNTS names one of your own: unset it for the demo")
	}
	if err := e.upCommand(ctx); err != nil {
		return err
	}
	if e.settings.givenSource != "" {
		e.console.say("FAREWELL_SOURCE_URL is yours: the sample goes into its schemas crm and farewell")
		if err := e.fillOnce(ctx); err != nil {
			return err
		}
	}
	before, err := e.migrations(ctx)
	if err != nil {
		return err
	}
	if err := e.attached(ctx, "start", "--all").Run(); err != nil {
		return fmt.Errorf("bin/starter start --all: %w", err)
	}
	if err := e.watch(ctx, before.allEnded()); err != nil {
		return err
	}
	after, err := e.migrations(ctx)
	if err != nil {
		return err
	}
	e.console.say("%s", e.epilogue(after))
	return nil
}

// attached is a command of bin/starter that has the terminal.
func (e environment) attached(ctx context.Context, args ...string) *exec.Cmd {
	cmd := e.productCommand(ctx, "starter", args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	// It detaches by itself on Ctrl-C, which a terminal sends to both of us.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// watch shows the bars to their end. Unless it is a repetition, in which there
// is little to see, the worker is killed at about a third.
func (e environment) watch(ctx context.Context, repetition bool) error {
	watching := e.attached(ctx, "watch", "--all", "--notices")
	notices, err := watching.StdinPipe()
	if err != nil {
		return fmt.Errorf("speak to bin/starter watch: %w", err)
	}
	if err := watching.Start(); err != nil {
		return fmt.Errorf("bin/starter watch: %w", err)
	}
	killing, stop := context.WithCancel(ctx)
	killed := make(chan struct{})
	go func() {
		defer close(killed)
		if !repetition {
			e.killWorkerOnTheWay(killing, notices)
		}
	}()
	err = watching.Wait()
	stop()
	<-killed
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() != exitWithFailures {
		return exitCode(exit.ExitCode())
	}
	if err != nil && exit == nil {
		return fmt.Errorf("bin/starter watch: %w", err)
	}
	return nil
}

// killWorkerOnTheWay kills the worker once a third of the tickets has been
// settled, and says so. The supervisor starts another. Whatever keeps it from
// doing so is said too, and the migrations go on.
func (e environment) killWorkerOnTheWay(ctx context.Context, notices io.Writer) {
	notice := func(format string, args ...any) { fmt.Fprintf(notices, format+"\n", args...) }
	total, err := countTickets(ctx, e.settings.sourceURL())
	if err != nil {
		notice("the demo does not kill its worker, since it cannot count the tickets: %v", err)
		return
	}
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now, err := e.migrations(ctx)
		if err != nil || now.settledTickets() < total/3 {
			continue // a look that failed is followed by another
		}
		if now.allEnded() {
			return
		}
		e.killWorker(notice)
		return
	}
}

func (e environment) killWorker(notice func(string, ...any)) {
	current, err := readState(e.checkout.dev())
	worker, _ := current.find(serverWorker)
	if err == nil && worker.Process.alive() {
		notice("the demo now kills its own worker (process %d, SIGKILL); the bars go on when a new one has taken over", worker.Process.PID)
		err = worker.Process.signal(syscall.SIGKILL)
	}
	if err != nil {
		notice("the demo could not kill its worker: %v", err)
	}
}

func countTickets(ctx context.Context, source string) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, source)
	if err != nil {
		return 0, fmt.Errorf("connect to the source: %w", err)
	}
	defer conn.Close(ctx)
	var n int64
	if err := conn.QueryRow(ctx, "select count(*) from farewell.tickets").Scan(&n); err != nil {
		return 0, fmt.Errorf("count the sample's tickets: %w", err)
	}
	return n, nil
}

// migration is what the demo reads of a line of `bin/starter list -o json`.
type migration struct {
	Customer    string       `json:"customer"`
	Destination string       `json:"destination"`
	State       string       `json:"state"`
	Tickets     ticketCounts `json:"tickets"`
}

type ticketCounts struct {
	Created      int64 `json:"created"`
	AlreadyThere int64 `json:"already_there"`
	Skipped      int64 `json:"skipped"`
	Failed       int64 `json:"failed"`
}

type migrations []migration

func (e environment) migrations(ctx context.Context) (migrations, error) {
	out, err := e.productCommand(ctx, "starter", "list", "-o", "json").Output()
	if err != nil {
		return nil, fmt.Errorf("bin/starter list: %w%s", err, complaint(err))
	}
	var all migrations
	if err := json.Unmarshal(out, &all); err != nil {
		return nil, fmt.Errorf("read the answer of bin/starter list: %w", err)
	}
	return all, nil
}

// complaint is what a failed command wrote to its standard error.
func complaint(err error) string {
	var exit *exec.ExitError
	if !errors.As(err, &exit) || len(exit.Stderr) == 0 {
		return ""
	}
	return "\n" + strings.TrimSpace(string(exit.Stderr))
}

// allEnded says whether there are migrations and none is under way.
func (all migrations) allEnded() bool {
	for _, m := range all {
		switch m.State {
		case "completed", "completed_with_failures", "cancelled", "failed":
		default:
			return false
		}
	}
	return len(all) > 0
}

func (all migrations) settledTickets() int64 {
	var n int64
	for _, m := range all {
		n += m.Tickets.Created + m.Tickets.AlreadyThere + m.Tickets.Skipped + m.Tickets.Failed
	}
	return n
}

// epilogue is what to do after the demo.
func (e environment) epilogue(all migrations) string {
	var b strings.Builder
	b.WriteString("\nTry next:\n")
	fmt.Fprintf(&b, "  bin/starter status %s\n", all.pick(func(m migration) bool { return m.Destination == "zendesk" }))
	fmt.Fprintf(&b, "  bin/starter failures %s\n", all.pick(func(m migration) bool { return m.State == "completed_with_failures" }))
	b.WriteString("  ./temporal-dev.sh demo      # again: brings nothing twice\n\n")
	if ui := e.settings.webUI(); ui != "" {
		fmt.Fprintf(&b, "Temporal Web UI: %s\n", ui)
	}
	fmt.Fprintf(&b, "CSV bundles:     %s", e.bundles())
	return b.String()
}

// pick is the first customer that fits, or the first at all.
func (all migrations) pick(fits func(migration) bool) string {
	for _, m := range all {
		if fits(m) {
			return m.Customer
		}
	}
	if len(all) == 0 {
		return "CUSTOMER"
	}
	return all[0].Customer
}
