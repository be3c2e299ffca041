package zendesktest

import (
	"net/http"
	"strings"
)

// organization is what is stored of an organization.
type organization struct {
	id         int64
	name       string
	externalID string
	details    string
	notes      string
	domains    []string
	tags       []string
	fields     string // JSON object
	shared     bool   // tickets
	created    int64
	updated    int64
	imported   int64
}

type organizationStore struct {
	base       int64
	all        []*organization
	byName     map[string]*organization // see nameKey
	byExternal map[string]*organization // in lower case
}

func newOrganizationStore(account int64) organizationStore {
	return organizationStore{base: account*1_000_000 + 700_000_000_000_000, byName: map[string]*organization{}, byExternal: map[string]*organization{}}
}

// nameKey is what must be unique of a name.
func nameKey(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

func (s *organizationStore) get(id int64) *organization {
	i := id - s.base - 1
	if i < 0 || i >= int64(len(s.all)) {
		return nil
	}
	return s.all[i]
}

func (s *organizationStore) index(o *organization) {
	s.byName[nameKey(o.name)] = o
	if o.externalID != "" {
		s.byExternal[strings.ToLower(o.externalID)] = o
	}
}

// organizationInput is an organization as it was sent; what is nil was not.
type organizationInput struct {
	id         int64
	name       *string
	externalID *string
	sets       []func(*organization)
}

func parseOrganizationBatch(a *account, q *request) (refused *answer) {
	var inputs []organizationInput
	refused = q.batch("organizations", func(d *decoder) { inputs = append(inputs, q.organization(d)) })
	q.input = inputs
	return refused
}

func parseSingleOrganization(a *account, q *request) (refused *answer) {
	var input organizationInput
	refused = q.single("organization", func(d *decoder) { input = q.organization(d) })
	q.input = input
	return refused
}

func (q *request) organization(d *decoder) organizationInput {
	var in organizationInput
	for key := range d.object() {
		switch key {
		case "id":
			in.id, _ = d.id() // one that is no number matches nothing
		case "name":
			name := strings.TrimSpace(d.text())
			in.name = &name
		case "external_id":
			id := d.text()
			in.externalID = &id
		default:
			if !in.profile(d, key) {
				q.drop("organization." + key)
				d.raw()
			}
		}
	}
	return in
}

func (in *organizationInput) set(change func(*organization)) { in.sets = append(in.sets, change) }

func (in *organizationInput) profile(d *decoder, key string) bool {
	switch key {
	case "details":
		v := d.text()
		in.set(func(o *organization) { o.details = v })
	case "notes":
		v := d.text()
		in.set(func(o *organization) { o.notes = v })
	case "domain_names":
		var domains []string
		for range d.array() {
			domains = append(domains, strings.ToLower(d.text()))
		}
		in.set(func(o *organization) { o.domains = domains })
	case "tags":
		var ticket ticketInput
		tags := ticket.tags(d)
		in.set(func(o *organization) { o.tags = tags })
	case "organization_fields":
		fields := d.keep.take(d.raw())
		in.set(func(o *organization) { o.fields = fields })
	case "shared_tickets":
		shared, _ := d.boolean() // anything else is false
		in.set(func(o *organization) { o.shared = shared })
	case "shared_comments", "group_id":
		d.raw() // known, and without effect here
	default:
		return false
	}
	return true
}

// createOrganizationFrom stores a new organization, or says why not.
func (a *account) createOrganizationFrom(in *organizationInput, now int64) (*organization, *problem) {
	s := &a.organizations
	o := &organization{created: seconds(now), imported: now}
	if in.name == nil {
		return nil, a.refuse("name", "BlankValue", nameTooShort, "")
	}
	if p := a.changeOrganizationFrom(o, in, now); p != nil {
		return nil, p
	}
	o.id = s.base + 1 + int64(len(s.all))
	s.all = append(s.all, o)
	s.index(o)
	return o, nil
}

// changeOrganizationFrom applies the input to o, or leaves it as it was and says why.
func (a *account) changeOrganizationFrom(o *organization, in *organizationInput, now int64) *problem {
	next := *o
	if in.name != nil {
		next.name = *in.name
	}
	if in.externalID != nil {
		next.externalID = *in.externalID
	}
	switch {
	case next.name == "":
		return a.refuse("name", "BlankValue", nameTooShort, "")
	case len([]rune(next.name)) > 255:
		return a.refuse("name", "TooLong", nameTooLong, "")
	}
	if owner := a.organizations.byName[nameKey(next.name)]; owner != nil && owner != o {
		return a.refuse("name", "DuplicateValue", nameTaken, next.name)
	}
	if owner := a.organizations.byExternal[strings.ToLower(next.externalID)]; next.externalID != "" && owner != nil && owner != o {
		return a.refuse("external_id", "DuplicateValue", externalTaken, next.externalID)
	}
	for _, set := range in.sets {
		set(&next)
	}
	delete(a.organizations.byName, nameKey(o.name))
	delete(a.organizations.byExternal, strings.ToLower(o.externalID))
	next.updated = seconds(now)
	*o = next
	return nil
}

func createOrganization(a *account, q *request) answer {
	in := q.input.(organizationInput)
	o, p := a.createOrganizationFrom(&in, q.now)
	if p != nil {
		return p.answer()
	}
	return a.organizationAnswer(http.StatusCreated, o)
}

// createOrUpdateOrganization is POST /api/v2/organizations/create_or_update: it matches by id or external id, not by name.
func createOrUpdateOrganization(a *account, q *request) answer {
	in := q.input.(organizationInput)
	o := a.organizations.get(in.id)
	if o == nil && in.externalID != nil && *in.externalID != "" {
		o = a.organizations.byExternal[strings.ToLower(*in.externalID)]
	}
	if o == nil {
		return createOrganization(a, q)
	}
	if p := a.changeOrganizationFrom(o, &in, q.now); p != nil {
		return p.answer()
	}
	a.organizations.index(o)
	return a.organizationAnswer(http.StatusOK, o)
}

var organizationJob = jobKind{jobType: "Bulk Create Organization", class: "OrganizationBulkCreateJob", working: "Creating organization", share: 1.0 / 3}

// createManyOrganizations is POST /api/v2/organizations/create_many; results of created ones have no index.
func createManyOrganizations(a *account, q *request) answer {
	inputs := q.input.([]organizationInput)
	return a.startJob(q, organizationJob, len(inputs), func(index int, at int64) outcome {
		o, p := a.createOrganizationFrom(&inputs[index], at)
		if p != nil {
			return outcome{failed: true, result: `{"index":` + itoa(int64(index)) + `,"error":"OrganizationCreateFailed","details":` + mustMarshal(p.text) + `}`}
		}
		return outcome{id: o.id, result: `{"id":` + itoa(o.id) + `,"status":"Created"}`}
	})
}

func (a *account) showOrganization(e *encoder, o *organization) {
	e.begin('{')
	a.organizationMembers(e, o)
	e.end('}')
}

func (a *account) organizationMembers(e *encoder, o *organization) {
	e.number("id", o.id)
	a.canonicalURL(e, "organizations", o.id)
	e.member("name", o.name)
	e.optional("external_id", o.externalID)
	e.time("created_at", o.created)
	e.time("updated_at", o.updated)
	e.words("domain_names", o.domains)
	e.optional("details", o.details)
	e.optional("notes", o.notes)
	e.null("group_id")
	e.words("tags", o.tags)
	fields := o.fields
	if fields == "" {
		fields = "{}"
	}
	e.literal("organization_fields", fields)
	e.flag("shared_tickets", o.shared)
	e.flag("shared_comments", false)
}

func (a *account) organizationAnswer(status int, o *organization) answer {
	return one(status, "organization", func(e *encoder) { a.showOrganization(e, o) })
}

func (a *account) organizationsAnswer(q *request, found []*organization) answer {
	return onOnePage(q, "organizations", found, a.showOrganization)
}

func showOrganization(a *account, q *request) answer {
	o := a.organizations.get(atoi(q.id))
	if o == nil {
		return notFound()
	}
	return a.organizationAnswer(http.StatusOK, o)
}

func listOrganizations(a *account, q *request) answer {
	all := a.organizations.live()
	return list(q, "organizations", len(all), func(e *encoder, i int) { a.showOrganization(e, all[i]) })
}

func countOrganizations(a *account, q *request) answer {
	return countAnswer(len(a.organizations.all), q.now)
}

// showManyOrganizations is GET /api/v2/organizations/show_many?ids= or ?external_ids=; unknown ones are left out.
func showManyOrganizations(a *account, q *request) answer {
	found, refused := askedFor(q, a.organizations.get, a.organizations.byExternal)
	if refused != nil {
		return *refused
	}
	return a.organizationsAnswer(q, found)
}

// searchOrganizations is GET /api/v2/organizations/search?external_id= or ?name=.
func searchOrganizations(a *account, q *request) answer {
	var found []*organization
	o := a.organizations.byExternal[strings.ToLower(q.query.Get("external_id"))]
	if name := q.query.Get("name"); name != "" {
		o = a.organizations.byName[nameKey(name)]
	}
	if o != nil {
		found = append(found, o)
	}
	return a.organizationsAnswer(q, found)
}
