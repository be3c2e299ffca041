package zendesktest

import (
	"net/http"
	"slices"
	"strings"
)

// membership is one user in one organization.
type membership struct {
	id             int64
	userID         int64
	organizationID int64
	standard       bool // the user's default organization
	created        int64
}

type membershipStore struct {
	all    []*membership
	made   int64
	byUser map[int64][]*membership
}

// maxOrganizations is how many organizations a user may be in.
const maxOrganizations = 300

func (s *membershipStore) has(userID, organizationID int64) bool {
	for _, m := range s.byUser[userID] {
		if m.organizationID == organizationID {
			return true
		}
	}
	return false
}

func (s *membershipStore) join(userID, organizationID int64, standard bool, now int64) *membership {
	s.made++
	m := &membership{id: 900_000_000_000_000 + s.made, userID: userID, organizationID: organizationID, standard: standard, created: seconds(now)}
	s.all = append(s.all, m)
	if s.byUser == nil {
		s.byUser = map[int64][]*membership{}
	}
	for _, other := range s.byUser[userID] {
		other.standard = other.standard && !standard
	}
	s.byUser[userID] = append(s.byUser[userID], m)
	return m
}

type membershipInput struct {
	userID, organizationID int64
	standard               bool
}

func parseMembershipBatch(a *account, q *request) (refused *answer) {
	var inputs []membershipInput
	refused = q.batch("organization_memberships", func(d *decoder) { inputs = append(inputs, q.membership(d)) })
	q.input = inputs
	return refused
}

func parseSingleMembership(a *account, q *request) (refused *answer) {
	var input membershipInput
	refused = q.single("organization_membership", func(d *decoder) { input = q.membership(d) })
	q.input = input
	return refused
}

func (q *request) membership(d *decoder) (in membershipInput) {
	for key := range d.object() {
		switch key {
		case "user_id":
			in.userID, _ = d.id() // what is no number belongs to nobody, and is refused as such
		case "organization_id":
			in.organizationID, _ = d.id() // the same
		case "default":
			in.standard, _ = d.boolean() // anything else is false
		default:
			q.drop("organization_membership." + key)
			d.raw()
		}
	}
	return in
}

func (a *account) joinFrom(in membershipInput, now int64) (*membership, *problem) {
	u := a.users.get(in.userID)
	switch {
	case u == nil:
		return nil, a.refuse("user", "InvalidValue", isInvalid, "User")
	case a.organizations.get(in.organizationID) == nil:
		return nil, a.refuse("organization", "InvalidValue", isInvalid, "Organization")
	case a.memberships.has(in.userID, in.organizationID), len(a.memberships.byUser[in.userID]) >= maxOrganizations:
		return nil, a.refuse("user_id", "DuplicateValue", membershipTaken, "")
	}
	standard := in.standard || u.organizationID == 0
	m := a.memberships.join(in.userID, in.organizationID, standard, now)
	if standard {
		u.organizationID = in.organizationID
	}
	return m, nil
}

func createMembership(a *account, q *request) answer {
	m, p := a.joinFrom(q.input.(membershipInput), q.now)
	if p != nil {
		return p.answer()
	}
	return one(http.StatusCreated, "organization_membership", func(e *encoder) { a.showMembership(e, m) })
}

var membershipJob = jobKind{jobType: "Bulk Create OrganizationMembership", class: "OrganizationMembershipBulkCreateJob", working: "Creating organization_membership", share: 1.0 / 3}

func createManyMemberships(a *account, q *request) answer {
	inputs := q.input.([]membershipInput)
	return a.startJob(q, membershipJob, len(inputs), func(index int, at int64) outcome {
		m, p := a.joinFrom(inputs[index], at)
		if p != nil {
			return outcome{failed: true, result: `{"index":` + itoa(int64(index)) + `,"error":"OrganizationMembershipCreateFailed","details":` + mustMarshal(p.text) + `}`}
		}
		return outcome{id: m.id, result: `{"index":` + itoa(int64(index)) + `,"id":` + itoa(m.id) + `,"action":"create","status":"Created","success":true}`}
	})
}

func (a *account) showMembership(e *encoder, m *membership) {
	e.begin('{')
	a.canonicalURL(e, "organization_memberships", m.id)
	e.number("id", m.id)
	e.number("user_id", m.userID)
	e.number("organization_id", m.organizationID)
	e.member("organization_name", a.organizations.get(m.organizationID).name)
	if m.standard {
		e.flag("default", true)
	} else {
		e.null("default")
	}
	e.time("created_at", m.created)
	e.time("updated_at", m.created)
	e.end('}')
}

// listUserMemberships is GET /api/v2/users/{id}/organization_memberships: the default organization first, then by name.
func listUserMemberships(a *account, q *request) answer {
	u := a.users.get(atoi(q.id))
	if u == nil {
		return notFound()
	}
	all := slices.Clone(a.memberships.byUser[u.id])
	slices.SortFunc(all, func(x, y *membership) int {
		if x.standard != y.standard {
			return map[bool]int{true: -1, false: 1}[x.standard]
		}
		return strings.Compare(a.organizations.get(x.organizationID).name, a.organizations.get(y.organizationID).name)
	})
	return list(q, "organization_memberships", len(all), func(e *encoder, i int) { a.showMembership(e, all[i]) })
}

// listMemberships is GET /api/v2/organization_memberships, optionally of one user_id.
func listMemberships(a *account, q *request) answer {
	all := a.memberships.all
	if q.query.Has("user_id") {
		all = a.memberships.byUser[atoi(q.query.Get("user_id"))]
	}
	return list(q, "organization_memberships", len(all), func(e *encoder, i int) { a.showMembership(e, all[i]) })
}
