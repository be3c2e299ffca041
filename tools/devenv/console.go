package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// console tells a person what happens. Whatever takes long shows that it is
// alive: on a terminal by a line that is drawn anew, else by a line each 15 s.
type console struct {
	out  io.Writer
	live bool

	mu    sync.Mutex
	drawn bool // the cursor is behind a live line
}

func newConsole(out *os.File) *console {
	info, err := out.Stat()
	return &console{out: out, live: err == nil && info.Mode()&os.ModeCharDevice != 0}
}

// say prints a line that stays.
func (c *console) say(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.erase()
	fmt.Fprintf(c.out, format+"\n", args...)
}

// show is a sign of life: drawn where lines can be drawn anew, else printed.
func (c *console) show(line string) {
	if c.live {
		c.draw(line)
		return
	}
	c.say("%s", line)
}

// draw shows a line that the next one replaces; only for live consoles.
func (c *console) draw(line string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.erase()
	fmt.Fprint(c.out, line)
	c.drawn = true
}

func (c *console) erase() {
	if c.drawn {
		fmt.Fprint(c.out, "\r\033[K")
		c.drawn = false
	}
}

const (
	// unspoken is how long something may take before it is worth a line.
	unspoken   = time.Second
	liveEvery  = time.Second
	plainEvery = 15 * time.Second
)

// during shows what goes on while f runs. expected is for how long, in words,
// such as "about 4 minutes on 2 cores"; it may be empty.
func (c *console) during(what, expected string, f func() error) error {
	return c.since(time.Now(), what, expected, f)
}

// since is during for something that began earlier.
func (c *console) since(began time.Time, what, expected string, f func() error) error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	next := time.NewTimer(max(0, unspoken-time.Since(began)))
	defer next.Stop()
	spoken := false
	for {
		select {
		case err := <-done:
			if spoken && err == nil {
				c.say("%s: done in %s", what, brief(time.Since(began)))
			}
			return err
		case <-next.C:
		}
		every := c.tell(began, what, expected, spoken)
		spoken = true
		next.Reset(every)
	}
}

// tell prints one sign of life and returns when the next one is due.
func (c *console) tell(began time.Time, what, expected string, spoken bool) time.Duration {
	elapsed := brief(time.Since(began))
	switch {
	case c.live:
		c.draw(what + ": " + strings.TrimSuffix(elapsed+" of "+expected, " of "))
		return liveEvery
	case !spoken && expected != "":
		c.say("%s (%s)", what, expected)
	case !spoken:
		c.say("%s", what)
	default:
		c.say("%s: %s", what, strings.TrimSuffix(elapsed+" of "+expected, " of "))
	}
	return plainEvery
}

func brief(d time.Duration) string {
	if d < 10*time.Second {
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	if d < time.Minute {
		return fmt.Sprintf("%d s", int(d.Seconds()))
	}
	return fmt.Sprintf("%d min %02d s", int(d.Minutes()), int(d.Seconds())%60)
}
