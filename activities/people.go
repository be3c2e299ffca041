package activities

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"farewell/destination"
	"farewell/ledger"
	"farewell/migration"
)

// unknownPerson is the placeholder's id.
const unknownPerson = "unknown-person"

// targetsKept is how many targets a lane remembers before it begins afresh.
const targetsKept = 20_000

// peopleLocks let one lane of a process at a time bring people of a migration
// on demand: two that create the same person collide.
type peopleLocks struct {
	mu    sync.Mutex
	locks map[string]*sync.Mutex
}

func (p *peopleLocks) of(m migration.Migration, e migration.Entity) *sync.Mutex {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.locks == nil {
		p.locks = map[string]*sync.Mutex{}
	}
	key := string(e) + "\x00" + m.WorkflowID() + "\x00" + m.Destination
	if p.locks[key] == nil {
		p.locks[key] = &sync.Mutex{}
	}
	return p.locks[key]
}

// directory finds everybody whom the page names: from memory, from the ledger,
// and for those who are in neither, by bringing them now.
func (l *lane) directory(page migration.Page) (destination.Directory, error) {
	l.forget()
	users, organizations := l.dest.People(page)
	for _, want := range []struct {
		e   migration.Entity
		ids []string
	}{{migration.Organizations, organizations}, {migration.Users, users}} {
		if err := l.acquaint(want.e, want.ids); err != nil {
			return nil, err
		}
	}
	return func(_ context.Context, e migration.Entity, ids []string) (map[string]migration.Target, error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		found := make(map[string]migration.Target, len(ids))
		for _, id := range ids {
			if t, ok := l.targets[e][id]; ok {
				found[id] = t
			}
		}
		return found, nil
	}, nil
}

// forget bounds the memory that targets take.
func (l *lane) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for e := range l.targets {
		if len(l.targets[e]) > targetsKept {
			delete(l.targets, e)
		}
	}
}

// acquaint makes sure that the lane knows the targets of these people, as far
// as they have one.
func (l *lane) acquaint(e migration.Entity, ids []string) error {
	missing := l.strangers(e, ids)
	if len(missing) == 0 {
		return nil
	}
	if err := l.ask(e, missing); err != nil {
		return err
	}
	missing = l.strangers(e, missing)
	if len(missing) == 0 {
		return nil
	}
	unknown, err := l.bring(e, missing)
	for errors.Is(err, ledger.ErrFenced) {
		// A lane of another worker brings people of this migration too, and it
		// may have brought these.
		if err := pause(l.feedCtx, l.in.Timings.PollEvery); err != nil {
			return err
		}
		if err := l.ask(e, missing); err != nil {
			return err
		}
		unknown, err = l.bring(e, l.strangers(e, missing))
	}
	if err != nil {
		return err
	}
	if err := l.ask(e, missing); err != nil {
		return err
	}
	if len(unknown) == 0 || e != migration.Users {
		return nil
	}
	return l.standIn(unknown)
}

// strangers are the ids whose target the lane does not know.
func (l *lane) strangers(e migration.Entity, ids []string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var missing []string
	for _, id := range ids {
		if _, ok := l.targets[e][id]; !ok {
			missing = append(missing, id)
		}
	}
	return missing
}

// ask takes targets from the ledger.
func (l *lane) ask(e migration.Entity, ids []string) error {
	found, err := l.a.Ledger.Targets(l.feedCtx, l.in.Migration, e, ids)
	if err != nil {
		return fmt.Errorf("look up %d %s in the ledger: %w", len(ids), e, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, t := range found {
		l.keepTarget(e, id, t)
	}
	return nil
}

// keepTarget remembers a target; the lane's lock must be held.
func (l *lane) keepTarget(e migration.Entity, id string, t migration.Target) {
	if l.targets[e] == nil {
		l.targets[e] = map[string]migration.Target{}
	}
	l.targets[e][id] = t
}

// bring exports people who are in no partition that was exported yet: they
// came to the source after their partition had been read, or a trial skipped
// it. It returns those whom the source does not know.
func (l *lane) bring(e migration.Entity, ids []string) (unknown []string, err error) {
	if len(ids) == 0 {
		return nil, nil
	}
	lock := l.a.people.of(l.in.Migration, e)
	lock.Lock()
	defer lock.Unlock()
	return l.errand(migration.OnDemand(e), func(child *lane) {
		child.requeue(without(ids, keys(child.known)), 0)
	})
}

func keys(set map[string]bool) []string {
	ids := make([]string, 0, len(set))
	for id := range set {
		ids = append(ids, id)
	}
	return ids
}

// errand runs a lane of its own within this one's activity.
func (l *lane) errand(p migration.Partition, prepare func(child *lane)) (unknown []string, err error) {
	in := l.in
	in.Partition, in.Limit = p, 0
	child, err := l.a.startLane(l.feedCtx, l.dest, in, exportAll)
	if err != nil {
		return nil, err
	}
	defer child.end()
	prepare(child)
	if err := child.run(); err != nil {
		return nil, err
	}
	if out := child.halted(); out != nil {
		if out.Parked != nil { // an operator decides about what the workflow has planned
			out.Parked.Partition = l.in.Partition.ID
		}
		l.halt(*out)
		return nil, context.Canceled
	}
	return child.unknown, nil
}

// standIn maps people whom the source does not know to the placeholder, and
// brings the placeholder before it is needed for the first time.
func (l *lane) standIn(unknown []string) error {
	target, err := l.placeholder()
	if err != nil {
		return err
	}
	target.Placeholder = true
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range unknown {
		l.keepTarget(migration.Users, id, target)
	}
	return nil
}

func (l *lane) placeholder() (migration.Target, error) {
	lock := l.a.people.of(l.in.Migration, migration.Placeholders)
	lock.Lock()
	defer lock.Unlock()
	for brought := false; ; brought = true {
		found, err := l.a.Ledger.Targets(l.feedCtx, l.in.Migration, migration.Placeholders, []string{unknownPerson})
		if err != nil {
			return migration.Target{}, fmt.Errorf("look up the placeholder in the ledger: %w", err)
		}
		if t, ok := found[unknownPerson]; ok {
			return t, nil
		}
		if brought {
			return migration.Target{}, fmt.Errorf("the placeholder for unknown people could not be created in %s; see `starter failures`", l.in.Migration.Account)
		}
		p := migration.Partition{ID: string(migration.Placeholders), Entity: migration.Placeholders}
		if _, err := l.errand(p, func(child *lane) {
			if !child.known[unknownPerson] {
				child.again = append(child.again, task{ids: []string{unknownPerson}})
			}
		}); err != nil {
			return migration.Target{}, err
		}
	}
}

func (l *lane) isPlaceholder() bool { return l.in.Partition.Entity == migration.Placeholders }

// kind is what the destination takes the lane's records for.
func (l *lane) kind() migration.Entity {
	if l.isPlaceholder() {
		return migration.Users
	}
	return l.in.Partition.Entity
}

// addressed is the batch as the destination knows it.
func (l *lane) addressed(b migration.Batch) migration.Batch {
	b.Entity = l.kind()
	return b
}
