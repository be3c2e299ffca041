package activities

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"farewell/destination"
	"farewell/ledger"
	"farewell/migration"
)

// unknownPerson is the placeholder's id.
const unknownPerson = "unknown-person"

// directory finds everybody whom the page names: from memory, from the ledger,
// and for those who are in neither, by bringing them now.
func (l *lane) directory(page migration.Page) (destination.Directory, error) {
	l.meeting.Lock()
	defer l.meeting.Unlock()
	users, organizations := l.dest.People(l.kind(), page)
	found := map[migration.Entity]map[string]migration.Target{}
	for _, want := range []struct {
		e   migration.Entity
		ids []string
	}{{migration.Organizations, organizations}, {migration.Users, users}} {
		found[want.e] = make(map[string]migration.Target, len(want.ids))
		if err := l.acquaint(want.e, want.ids, found[want.e]); err != nil {
			return nil, err
		}
	}
	if l.kind() == migration.Tickets {
		if err := l.affiliate(page, found); err != nil {
			return nil, err
		}
	}
	return func(_ context.Context, e migration.Entity, _ []string) (map[string]migration.Target, error) {
		return found[e], nil
	}, nil
}

// acquaint finds the targets of these people, as far as they have one. For a
// ticket, the placeholder stands for whoever has none: the source does not know
// them, or the account refused them.
func (l *lane) acquaint(e migration.Entity, ids []string, found map[string]migration.Target) error {
	missing := l.people.find(e, ids, found)
	if len(missing) == 0 {
		return nil
	}
	missing = slices.DeleteFunc(missing, func(id string) bool {
		stoodIn := e == migration.Users && l.standIns[id]
		if stoodIn {
			found[id] = l.standInTarget
		}
		return stoodIn
	})
	if err := l.meet(e, without(missing, []string{""}), found); err != nil {
		return err
	}
	if e != migration.Users || l.kind() != migration.Tickets {
		return nil
	}
	missing = slices.DeleteFunc(missing, func(id string) bool { return found[id].ID != "" })
	if len(missing) == 0 {
		return nil
	}
	return l.standIn(missing, found)
}

// meet looks people up in the ledger, and brings those who are not there.
func (l *lane) meet(e migration.Entity, missing []string, found map[string]migration.Target) error {
	missing, err := l.ask(e, missing, found)
	if err != nil || len(missing) == 0 {
		return err
	}
	err = l.bring(e, missing)
	for errors.Is(err, ledger.ErrFenced) {
		// A lane of another worker brings people of this migration too, and it
		// may have brought these.
		if err := pause(l.feedCtx, l.in.Timings.PollEvery); err != nil {
			return err
		}
		if missing, err = l.ask(e, missing, found); err != nil {
			return err
		}
		err = l.bring(e, missing)
	}
	if err != nil {
		return err
	}
	// The lane that brought them has left word in the directory, unless another
	// one was faster.
	_, err = l.ask(e, l.people.find(e, missing, found), found)
	return err
}

// ask takes targets from the ledger, and returns the ids that are not there.
func (l *lane) ask(e migration.Entity, ids []string, found map[string]migration.Target) (missing []string, err error) {
	if len(ids) == 0 {
		return nil, nil
	}
	asked, err := l.a.Ledger.Targets(l.feedCtx, l.in.Migration, e, ids)
	if err != nil {
		return nil, fmt.Errorf("look up %d %s in the ledger: %w", len(ids), e, err)
	}
	l.people.keep(e, asked)
	return l.people.find(e, ids, found), nil
}

// bring exports people who are in no partition that was exported yet: they
// came to the source after their partition had been read, or a trial skipped
// it.
func (l *lane) bring(e migration.Entity, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	end, err := l.reserveErrand(e)
	if err != nil {
		return err
	}
	defer end()
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

// standIn maps people to the placeholder, and brings the placeholder before it is needed for the first time. Only this
// lane remembers it: they may come to the source yet.
func (l *lane) standIn(unknown []string, found map[string]migration.Target) error {
	target, err := l.placeholder()
	if err != nil {
		return err
	}
	target.Placeholder = true
	l.standInTarget = target
	for _, id := range unknown {
		l.standIns[id] = true
		found[id] = target
	}
	return nil
}

func (l *lane) placeholder() (migration.Target, error) {
	end, err := l.reserveErrand(migration.Placeholders)
	if err != nil {
		return migration.Target{}, err
	}
	defer end()
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
		if err := l.errand(p, func(child *lane) {
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
