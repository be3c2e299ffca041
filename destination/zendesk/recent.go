package zendesk

import (
	"bytes"
	"strings"
	"sync"

	"farewell/migration"
)

// recentLimit bounds what recentKeys remembers: the people of the last few
// minutes, which Zendesk's search does not show yet.
const recentLimit = 20_000

// recentKeys remembers which e-mail addresses and organization names were
// brought a short while ago, and who must be looked up by theirs.
type recentKeys struct {
	mu     sync.Mutex
	target map[string]string // by entity and key
	ring   []string          // the keys in order of age
	next   int
	first  map[string]bool // by entity and source id: look up before sending
}

func newRecentKeys() *recentKeys {
	return &recentKeys{target: make(map[string]string), first: make(map[string]bool)}
}

func (r *recentKeys) add(e migration.Entity, key, target string) {
	if key == "" {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	key = string(e) + "/" + key
	if _, known := r.target[key]; known {
		return
	}
	r.target[key] = target
	if len(r.ring) < recentLimit {
		r.ring = append(r.ring, key)
		return
	}
	delete(r.target, r.ring[r.next])
	r.ring[r.next] = key
	r.next = (r.next + 1) % recentLimit
}

func (r *recentKeys) find(e migration.Entity, key string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.target[string(e)+"/"+key]
}

// remember takes up who was created by a request with these keys.
func (r *recentKeys) remember(e migration.Entity, items []migration.Item, keys map[string]string) {
	for i := range items {
		if items[i].Outcome == migration.Created {
			r.add(e, keys[items[i].SourceID], items[i].TargetID)
		}
	}
}

// lookFirst notes a record that was refused and may be there all the same:
// Prepare looks for it before it is sent again.
func (r *recentKeys) lookFirst(e migration.Entity, sourceID string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.first[string(e)+"/"+sourceID] = true
}

func (r *recentKeys) looksFirst(e migration.Entity, sourceID string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.first[string(e)+"/"+sourceID]
}

// emailKey is an e-mail address as Zendesk compares it.
func emailKey(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// nameKey is an organization's name as Zendesk compares it.
func nameKey(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

// bodyKeys reads the e-mail addresses or names out of a request for people, by
// source id; nil: no such request is at hand.
func bodyKeys(e migration.Entity, body []byte, prefix string) map[string]string {
	if e == migration.Tickets || body == nil {
		return nil
	}
	keys := make(map[string]string, bulkLimit)
	r := newJSONReader(jobRoom)
	r.reset(bytes.NewReader(body))
	for name := range r.members() {
		switch string(name) {
		case "user", "organization":
			readKey(r, e, keys, prefix)
		case "users", "organizations":
			for range r.elements() {
				readKey(r, e, keys, prefix)
			}
		default:
			r.skip()
		}
	}
	if r.err != nil {
		return nil
	}
	return keys
}

func readKey(r *jsonReader, e migration.Entity, keys map[string]string, prefix string) {
	var externalID, key string
	for name := range r.members() {
		switch string(name) {
		case "external_id":
			externalID = r.text()
		case "email":
			if text := r.text(); e == migration.Users {
				key = emailKey(text)
			}
		case "name":
			if text := r.text(); e == migration.Organizations {
				key = nameKey(text)
			}
		default:
			r.skip()
		}
	}
	if sourceID, ours := SourceID(prefix, externalID); ours {
		keys[sourceID] = key
	}
}
