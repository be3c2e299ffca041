// Command worker runs Farewell's workflows and activities. It is the only
// program that reads the source's records and the accounts' secrets.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"

	"farewell/activities"
	"farewell/attachment"
	"farewell/config"
	"farewell/ledger"
	"farewell/source"
	"farewell/telemetry"
	"farewell/workflows"
)

// startTimeout is how long the first look at each server may take.
const startTimeout = 20 * time.Second

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "worker:", telemetry.Redact(err.Error()))
		os.Exit(1)
	}
}

func run() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	c, err := config.Load()
	if err != nil {
		return err
	}
	log := telemetry.NewLogger(os.Stderr, c.LogLevel)
	h, err := connect(ctx, c, log)
	if err != nil {
		return err
	}
	defer h.close()
	return h.work(ctx)
}

// house holds everything that the worker has opened.
type house struct {
	config   config.Config
	name     string // this worker's, as others know it
	log      *slog.Logger
	temporal client.Client
	ledger   *ledger.Ledger
	source   *source.Source
	governor *source.Governor
	controls *ledger.Controls
	files    *attachment.Store
	places   *places
	closers  []func()
}

// connect opens the servers, each with a clear error when it is not there.
func connect(ctx context.Context, c config.Config, log *slog.Logger) (_ *house, err error) {
	h := &house{config: c, log: log, name: workerName()}
	defer func() {
		if err != nil {
			h.close()
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()

	if h.ledger, err = ledger.Open(ctx, c.LedgerURL, ledger.Options{MaxConns: ledgerConns}); err != nil {
		return nil, fmt.Errorf("open the ledger (FAREWELL_LEDGER_URL): %w", err)
	}
	h.closers = append(h.closers, h.ledger.Close)
	if h.source, err = source.Open(ctx, source.Options{URL: c.SourceURL, Schema: c.SourceSchema, MaxConns: sourceConns, StatementTimeout: sourceStatement}); err != nil {
		return nil, fmt.Errorf("open the source (FAREWELL_SOURCE_URL): %w", err)
	}
	h.closers = append(h.closers, h.source.Close)
	// Opening connects to nothing yet, and a wrong address should be named now.
	if _, err = h.source.Now(ctx); err != nil {
		return nil, fmt.Errorf("open the source (FAREWELL_SOURCE_URL): %w", err)
	}
	name, err := source.Name(c.SourceURL)
	if err != nil {
		return nil, err
	}
	h.governor = h.source.Govern(h.ledger.SourceSeat(h.name, name), log)
	h.closers = append(h.closers, h.governor.Close)
	if err = h.openFiles(ctx); err != nil {
		return nil, err
	}
	o, err := c.TemporalOptions()
	if err != nil {
		return nil, err
	}
	o.Logger = sdklog.NewStructuredLogger(log)
	if h.temporal, err = client.DialContext(ctx, o); err != nil {
		return nil, fmt.Errorf("connect to Temporal at %s (TEMPORAL_ADDRESS): %w", o.HostPort, err)
	}
	h.closers = append(h.closers, h.temporal.Close)
	if err = checkAttributes(ctx, h.temporal, o.Namespace); err != nil {
		return nil, err
	}
	accounts, err := config.FollowAccounts(c.AccountsFile, func(err error) {
		log.Warn("the accounts file cannot be used as it is now; the last good version stays in force", "error", err)
	})
	if err != nil {
		return nil, err
	}
	if h.controls, err = h.ledger.Follow(ctx); err != nil {
		return nil, fmt.Errorf("follow the control channel: %w", err)
	}
	h.closers = append(h.closers, h.controls.Close)
	h.places = newPlaces(c, accounts, h.controls.Seat(h.name, c.Egress), log)
	h.closers = append(h.closers, h.places.close)
	return h, nil
}

// openFiles opens the places of attachments.
func (h *house) openFiles(ctx context.Context) (err error) {
	h.files, err = attachment.Open(ctx, attachment.Options{
		Origins: h.config.FileOrigins,
		Bucket:  h.config.FileBucket,
		Stored:  h.governed(),
		Timings: timings(h.config),
	})
	if err != nil {
		return fmt.Errorf("%w (FAREWELL_ATTACHMENT_ORIGINS, FAREWELL_ATTACHMENT_BUCKET)", err)
	}
	h.closers = append(h.closers, func() {
		if err := h.files.Close(); err != nil {
			h.log.Warn("closing the places of attachments failed", "error", err)
		}
	})
	return nil
}

func (h *house) governed() source.Governed {
	return source.Governed{Source: h.source, Governor: h.governor}
}

func (h *house) close() {
	for i := len(h.closers) - 1; i >= 0; i-- {
		h.closers[i]()
	}
}

// work polls both task queues until the context ends, then lets what runs come
// to its end for as long as workerStop allows.
func (h *house) work(ctx context.Context) error {
	reasons := activities.NewReasons()
	reasons.Source, reasons.SourceDown = h.governor.WaitingFor, h.governor.Down
	does := &activities.Activities{
		Worker:       h.name,
		Source:       h.governed(),
		Files:        h.files,
		Ledger:       h.ledger,
		Destinations: h.places,
		Mappings:     mappingFile{path: h.config.MappingFile, accounts: h.places.accounts},
		Controls:     h.controls,
		Reasons:      reasons,
		Log:          h.log,
	}
	giveRoom(does.Lanes)
	fatal := make(chan error, 2)
	decisions := worker.New(h.temporal, h.config.TaskQueue, decisionOptions(fatal))
	workflows.Register(decisions)
	does.Register(decisions)
	exports := worker.New(h.temporal, h.config.ExportQueue(), exportOptions(fatal))
	does.Register(exports)

	beat := startPresence(h, reasons)
	defer beat.stop()
	for _, w := range []worker.Worker{decisions, exports} {
		if err := w.Start(); err != nil {
			return fmt.Errorf("poll Temporal's task queues: %w", err)
		}
	}
	h.log.Info("worker is ready", "queue", h.config.TaskQueue, "worker", h.name, "egress", h.config.Egress)

	var err error
	select {
	case <-ctx.Done():
		h.log.Info("worker stops: open jobs are brought to their end")
	case err = <-fatal:
	}
	stopTogether(decisions, exports)
	if err != nil {
		return fmt.Errorf("a Temporal worker gave up: %w", err)
	}
	return nil
}

// stopTogether stops both at once, so that the time to drain is not added up.
func stopTogether(workers ...worker.Worker) {
	var wg sync.WaitGroup
	for _, w := range workers {
		wg.Go(w.Stop)
	}
	wg.Wait()
}

var errNotSetUp = errors.New("search attributes are not registered in Temporal: run `starter setup`")
