package activities

import (
	"sync"

	"farewell/destination"
	"farewell/migration"
	"farewell/source"
)

// ready is a page of the range with the request for it, or why there is none.
type ready struct {
	page   migration.Page
	parcel destination.Parcel
	err    error
}

// feedAhead feeds the range: it reads a page while the request for the one
// before is made, and that while the intent of the one before is written: each
// takes about as long as the others. Intents are written one after the other
// all the same, since the cursor of a later attempt is where the last of them
// ends.
//
// A page of people is looked up in the account while the batch before it is not
// even sent. That may well bring somebody with the same e-mail address, as any
// batch may whose job has not ended: whoever is refused for that is looked up
// again.
func (l *lane) feedAhead() error {
	stop := make(chan struct{})
	var stages sync.WaitGroup
	defer stages.Wait() // they use the lane; what they wait for ends within a call's limit
	defer close(stop)
	pages, requests := make(chan ready), make(chan ready)
	stages.Go(func() { l.readAhead(l.cursor, pages, stop) })
	stages.Go(func() { l.prepareAhead(pages, requests, stop) })
	for r := range requests {
		if r.err != nil || l.halted() != nil {
			return r.err
		}
		l.cursor = r.page.Last
		if err := l.dispatch(r.page, r.parcel, 0, true); err != nil {
			return err
		}
	}
	return nil
}

// readAhead reads the range to its end or its first error.
func (l *lane) readAhead(after string, pages chan<- ready, stop <-chan struct{}) {
	defer close(pages)
	for {
		page, err := l.read(source.PageQuery{After: after, Limit: l.dest.BatchSize(l.kind())})
		after = page.Last
		if page.Len() > 0 || err != nil {
			select {
			case pages <- ready{page: page, err: err}:
			case <-stop:
				return
			}
		}
		if err != nil || !page.More {
			return
		}
	}
}

// prepareAhead makes the request for each page.
func (l *lane) prepareAhead(pages <-chan ready, requests chan<- ready, stop <-chan struct{}) {
	defer close(requests)
	for r := range pages {
		if r.err == nil {
			r.page = l.fresh(r.page)
		}
		for _, part := range byFiles(r.page) {
			r.page = part
			if r.err == nil && r.page.Len() > 0 {
				r.parcel, r.err = l.prepare(r.page, 0)
			}
			select {
			case requests <- r:
			case <-stop:
				return
			}
			if r.err != nil {
				return
			}
		}
	}
}
