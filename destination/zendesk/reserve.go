package zendesk

import (
	"context"
	"sync"
)

// Reserve waits until the way out is not too crowded, then for a job slot, then
// for a request of the current window, and sets the latter two aside: a Submit should follow at once, since what is set aside ends
// with the window. Release gives the slot back; a second call does nothing.
func (a *Account) Reserve(ctx context.Context) (release func(), err error) {
	if err := a.exit.shortLine(ctx, a); err != nil {
		return nil, err
	}
	if err := a.slots.acquire(ctx); err != nil {
		return nil, err
	}
	if err := a.pace.reserve(ctx); err != nil {
		a.slots.release()
		return nil, err
	}
	return sync.OnceFunc(a.slots.release), nil
}
