package zendesk

import (
	"context"
	"net/url"
	"sync"

	"farewell/destination"
	"farewell/migration"
)

const (
	// censusFrom is how many records a partition holds before it is worth a
	// census: one look-up for each hundred of them costs more.
	censusFrom = 1000
	// censusMost is the most users or organizations that a census lists, in so
	// many hundreds of requests. An account with more is asked batch by batch.
	censusMost = 1000
)

// censuses remember who was in the account when a run began. From then on the
// run itself is the only one who brings records with our external ids, and the
// ledger knows those; so nobody needs to be looked up for it. Lists are read
// from the database, not from an index that lags.
type censuses struct {
	a  *Account
	mu sync.Mutex // held while asking
	of map[migration.Entity]*census
}

// census is one entity's.
type census struct {
	run   string
	there map[string]listed // by source id; nil: too many to list
}

// present tells who of these is in the account with our external id.
func (c *censuses) present(ctx context.Context, in destination.PrepareInput, sourceIDs []string) (map[string]listed, error) {
	if in.Run == "" || in.Rows < censusFrom {
		return c.a.byExternalIDs(ctx, in.Entity, sourceIDs)
	}
	there, err := c.take(ctx, in.Entity, in.Run)
	if err != nil {
		return nil, err
	}
	if there == nil {
		return c.a.byExternalIDs(ctx, in.Entity, sourceIDs)
	}
	found := make(map[string]listed)
	for _, id := range sourceIDs {
		if record, ok := there[id]; ok {
			found[id] = record
		}
	}
	return found, nil
}

func (c *censuses) take(ctx context.Context, e migration.Entity, run string) (map[string]listed, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if last := c.of[e]; last != nil && last.run == run {
		return last.there, nil
	}
	there, err := c.list(ctx, e)
	if err != nil {
		return nil, err
	}
	if c.of == nil {
		c.of = map[migration.Entity]*census{}
	}
	c.of[e] = &census{run: run, there: there}
	return there, nil
}

// list returns nil where there are too many. The count of a large account is
// from yesterday, so the list is bounded by itself too.
// https://developer.zendesk.com/api-reference/ticketing/users/users/#count-users
func (c *censuses) list(ctx context.Context, e migration.Entity) (map[string]listed, error) {
	var counted struct {
		Count struct {
			Value int64 `json:"value"`
		} `json:"count"`
	}
	if err := c.a.get(ctx, "count "+string(e), "/api/v2/"+string(e)+"/count", nil, decodeInto(&counted)); err != nil {
		return nil, err
	}
	if counted.Count.Value > censusMost {
		return nil, nil
	}
	there := make(map[string]listed)
	query := url.Values{"page[size]": {"100"}}
	for n := 0; n <= censusMost; {
		var list struct {
			Users         []listed `json:"users"`
			Organizations []listed `json:"organizations"`
			Meta          meta     `json:"meta"`
		}
		if err := c.a.get(ctx, "list "+string(e), "/api/v2/"+string(e), query, decodeInto(&list)); err != nil {
			return nil, err
		}
		for _, r := range append(list.Users, list.Organizations...) {
			n++
			if sourceID, ours := SourceID(c.a.prefix, r.ExternalID); ours && r.ID.positive() {
				there[sourceID] = r
			}
		}
		next, err := list.Meta.next("list " + string(e))
		if err != nil || next == "" {
			return there, err
		}
		query.Set("page[after]", next)
	}
	return nil, nil
}
