package ledger

import "time"

// GiveUpAfter shortens the limit of a call for a test. Not to be called while
// calls are under way.
func (l *Ledger) GiveUpAfter(d time.Duration) { l.giveUp = d }
