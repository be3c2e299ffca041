package activities

import (
	"sync"

	"farewell/migration"
)

// targetsKept is how many people a worker remembers of one run, and of all runs
// together, before it begins afresh: they are in the ledger.
const targetsKept = 50_000

// directories let all lanes of a run share what they know of its people: they
// name the same ones again and again.
type directories struct {
	mu   sync.Mutex
	runs map[runKey]*directory
}

type runKey struct {
	migration migration.Migration
	run       string
}

// directory is where the people of one run are in the account, as far as one
// of its lanes needed to know.
type directory struct {
	lanes int // under the lock of all directories

	mu      sync.RWMutex
	targets map[migration.Entity]map[string]migration.Target
}

// join returns the directory of a run; leave must be called once. What the last
// lane leaves behind is kept for the run's next partitions, while there is room.
func (d *directories) join(m migration.Migration, run string) (shared *directory, leave func()) {
	key := runKey{m, run}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.runs == nil {
		d.runs = map[runKey]*directory{}
	}
	d.makeRoom(key)
	if d.runs[key] == nil {
		d.runs[key] = &directory{targets: map[migration.Entity]map[string]migration.Target{}}
	}
	shared = d.runs[key]
	shared.lanes++
	return shared, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		shared.lanes--
	}
}

// makeRoom forgets the runs that no lane works on, except one.
func (d *directories) makeRoom(except runKey) {
	kept := 0
	for _, of := range d.runs {
		kept += of.len()
	}
	if kept <= targetsKept {
		return
	}
	for key, of := range d.runs {
		if of.lanes == 0 && key != except {
			delete(d.runs, key)
		}
	}
}

func (d *directory) len() int {
	d.mu.RLock()
	defer d.mu.RUnlock()
	n := 0
	for _, targets := range d.targets {
		n += len(targets)
	}
	return n
}

// keep remembers targets by source id, as the ledger has told them.
func (d *directory) keep(e migration.Entity, targets map[string]migration.Target) {
	d.mu.Lock()
	defer d.mu.Unlock()
	known := d.roomFor(e, len(targets))
	for id, t := range targets {
		known[id] = t
	}
}

// settle takes in how people were settled, and knows from then on what the
// ledger would tell of them; or nothing, and they are asked for there.
func (d *directory) settle(e migration.Entity, items []migration.Item) {
	d.mu.Lock()
	defer d.mu.Unlock()
	known := d.roomFor(e, len(items))
	for i := range items {
		item := &items[i]
		switch {
		case item.Outcome == migration.NotSent: // which decides nothing
		case item.TargetID != "" && (item.Outcome == migration.Created || item.Outcome == migration.AlreadyThere):
			known[item.SourceID] = migration.Target{ID: item.TargetID, Agent: item.Agent, Made: item.Outcome == migration.Created}
		default:
			delete(known, item.SourceID) // an earlier batch may have brought them
		}
	}
}

// keepHomes remembers the first organizations of users who are about to be sent
// with them.
func (d *directory) keepHomes(users []migration.User) {
	d.mu.Lock()
	defer d.mu.Unlock()
	known := d.roomFor(homes, len(users))
	for i := range users {
		known[users[i].ID] = migration.Target{ID: users[i].OrganizationID}
	}
}

// roomFor returns what is known of an entity, with room for n more. The lock
// must be held.
func (d *directory) roomFor(e migration.Entity, n int) map[string]migration.Target {
	if d.targets[e] == nil || len(d.targets[e])+n > targetsKept {
		d.targets[e] = map[string]migration.Target{}
	}
	return d.targets[e]
}

// find adds the targets of those whom it knows to found, and returns the others.
func (d *directory) find(e migration.Entity, ids []string, found map[string]migration.Target) (strangers []string) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	known := d.targets[e]
	for _, id := range ids {
		if t, ok := known[id]; ok {
			found[id] = t
		} else {
			strangers = append(strangers, id)
		}
	}
	return strangers
}
