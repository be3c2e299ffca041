package ledger

import "time"

// GiveUpAfter shortens the limit of a call for a test. Not to be called while
// calls are under way.
func (l *Ledger) GiveUpAfter(d time.Duration) { l.giveUp = d }

// WaitPatiently has writes wait for the transaction under way as long as it
// takes. Not to be called while calls are under way.
func (l *Ledger) WaitPatiently() { l.writes.patience = time.Hour }

// Waiting is how many writes wait for the next transaction.
func (l *Ledger) Waiting() int {
	l.writes.mu.Lock()
	defer l.writes.mu.Unlock()
	return len(l.writes.waiting)
}

// Begun has fn called when a transaction begins, before it has a connection.
// Not to be called while calls are under way.
func (l *Ledger) Begun(fn func()) {
	send := l.writes.send
	l.writes.send = func(writes []*write) error {
		fn()
		return send(writes)
	}
}
