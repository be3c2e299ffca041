package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"time"

	"farewell/config"
)

// program is how hints to the reader call this tool.
const program = "bin/starter"

// app is one call of the tool: its streams, and what its commands stand on.
type app struct {
	in     io.Reader
	out    *screen
	errOut io.Writer
	now    func() time.Time
	who    func() string // the operator's account on this machine
	load   func() (config.Config, error)
	open   func(context.Context, config.Config) (*session, error)
}

func newApp(in io.Reader, out, errOut *os.File) *app {
	return &app{
		in: in, out: newScreen(out), errOut: errOut,
		now: time.Now, who: operator, load: config.LoadClient, open: openSession,
	}
}

// run executes one command line and returns the exit code.
func (a *app) run(ctx context.Context, args []string) int {
	root := a.command()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var told exit
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &told):
		return int(told)
	case ctx.Err() != nil:
		fmt.Fprintln(a.errOut, "starter: interrupted")
		return exitInterrupted
	}
	fmt.Fprintln(a.errOut, "starter: "+clean(err.Error()))
	var usage usageError
	if errors.As(err, &usage) {
		return exitUsage
	}
	return exitError
}

// within connects, lets a command do its work, and lets go of everything.
func (a *app) within(ctx context.Context, do func(*session) error) error {
	s, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	return do(s)
}

// connect reads the settings and opens what a command stands on.
func (a *app) connect(ctx context.Context) (*session, error) {
	cfg, err := a.load()
	if err != nil {
		return nil, err
	}
	if cfg.NoColor {
		a.out.colour = false
	}
	return a.open(ctx, cfg)
}

// operator names who gives a command. The name goes to the ledger, so that a
// colleague knows whom to ask.
func operator() string {
	u, err := user.Current()
	if err != nil {
		return "unknown" // a user id without an entry must not keep anyone from pausing
	}
	return u.Username
}
