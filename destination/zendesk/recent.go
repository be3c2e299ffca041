package zendesk

import (
	"encoding/json"
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

// remember takes up who was created by a request.
func (r *recentKeys) remember(e migration.Entity, items []migration.Item, body []byte, prefix string) {
	if e == migration.Tickets {
		return
	}
	keys := bodyKeys(body, prefix)
	for i := range items {
		if items[i].Outcome == migration.Created {
			r.add(e, keys[items[i].SourceID], items[i].TargetID)
		}
	}
}

// lookFirst notes a record that was refused and whose key is not at hand:
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

// bodyKeys reads the e-mail addresses or names out of a request, by source id.
func bodyKeys(body []byte, prefix string) map[string]string {
	type person struct {
		ExternalID string `json:"external_id"`
		Email      string `json:"email"`
		Name       string `json:"name"`
	}
	var request struct {
		Users         []person
		User          *person
		Organizations []person
		Organization  *person
	}
	if json.Unmarshal(body, &request) != nil {
		return nil // no body is at hand
	}
	if request.User != nil {
		request.Users = append(request.Users, *request.User)
	}
	if request.Organization != nil {
		request.Organizations = append(request.Organizations, *request.Organization)
	}
	keys := make(map[string]string, len(request.Users)+len(request.Organizations))
	for _, u := range request.Users {
		if sourceID, ok := SourceID(prefix, u.ExternalID); ok {
			keys[sourceID] = emailKey(u.Email)
		}
	}
	for _, o := range request.Organizations {
		if sourceID, ok := SourceID(prefix, o.ExternalID); ok {
			keys[sourceID] = nameKey(o.Name)
		}
	}
	return keys
}
