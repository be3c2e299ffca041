package zendesktest

import (
	"strings"
)

// route is one endpoint.
type route struct {
	// name is the method and path, as the statistics show it.
	name string
	// class groups endpoints for faults.
	class string
	// public routes need no credentials and cost no budget; anonymous ones answer without credentials too.
	public, anonymous bool
	adminOnly         bool
	// writes routes go to the journal before they are applied.
	writes    bool
	takesBody bool
	// job is whether the endpoint starts a bulk job.
	job    bool
	bucket *bucket
	// parse reads the body without the account's lock; apply answers under it.
	parse func(*account, *request) (refused *answer)
	apply func(*account, *request) answer
}

// routes is every endpoint by its name. {id} stands for a segment that is a number, a job's id or a token.
var routes = func() map[string]*route {
	table := map[string]*route{}
	add := func(class, name string, r route) {
		r.name, r.class = name, class
		r.takesBody = r.parse != nil
		r.job = r.writes && strings.HasSuffix(name, "_many")
		table[name] = &r
	}
	add("imports", "POST /api/v2/imports/tickets/create_many", route{adminOnly: true, writes: true, parse: parseTicketBatch, apply: importMany})
	add("imports", "POST /api/v2/imports/tickets", route{adminOnly: true, writes: true, parse: parseSingleTicket, apply: importOne})

	add("tickets", "GET /api/v2/tickets", route{apply: listTickets})
	add("tickets", "GET /api/v2/tickets/show_many", route{apply: showManyTickets})
	add("tickets", "GET /api/v2/tickets/{id}", route{apply: showTicket})
	add("tickets", "GET /api/v2/tickets/{id}/comments", route{apply: listComments})
	add("tickets", "GET /api/v2/tickets/{id}/metrics", route{apply: showMetrics})
	add("tickets", "DELETE /api/v2/tickets/{id}", route{writes: true, bucket: &deleteBucket, apply: deleteTicket})
	add("tickets", "DELETE /api/v2/tickets/destroy_many", route{writes: true, bucket: &deleteBucket, apply: destroyManyTickets})

	add("jobs", "GET /api/v2/job_statuses", route{apply: listJobs})
	add("jobs", "GET /api/v2/job_statuses/show_many", route{apply: showManyJobs})
	add("jobs", "GET /api/v2/job_statuses/{id}", route{apply: showJob})

	add("users", "GET /api/v2/users/me", route{anonymous: true, apply: showMe})
	add("users", "GET /api/v2/users", route{apply: listUsers})
	add("users", "GET /api/v2/users/show_many", route{apply: showManyUsers})
	add("users", "GET /api/v2/users/search", route{apply: searchUsers})
	add("users", "GET /api/v2/users/count", route{apply: countUsers})
	add("users", "GET /api/v2/users/{id}", route{apply: showUser})
	add("users", "GET /api/v2/users/{id}/identities", route{apply: listIdentities})
	add("users", "GET /api/v2/users/{id}/organization_memberships", route{apply: listUserMemberships})
	add("users", "POST /api/v2/users/{id}/identities", route{writes: true, parse: parseIdentity, apply: createIdentity})
	add("users", "POST /api/v2/users", route{writes: true, parse: parseSingleUser, apply: createUser})
	add("users", "PUT /api/v2/users/{id}", route{writes: true, parse: parseSingleUser, apply: updateUser})
	add("users", "DELETE /api/v2/users/{id}", route{adminOnly: true, writes: true, apply: deleteUser})
	add("users", "POST /api/v2/users/create_or_update", route{writes: true, bucket: &upsertBucket, parse: parseSingleUser, apply: createOrUpdateUser})
	add("users", "POST /api/v2/users/create_many", route{adminOnly: true, writes: true, parse: parseBulkUsers, apply: createManyUsers})
	add("users", "POST /api/v2/users/create_or_update_many", route{adminOnly: true, writes: true, parse: parseBulkUsers, apply: createOrUpdateManyUsers})
	add("users", "PUT /api/v2/users/update_many", route{adminOnly: true, writes: true, parse: parseUserUpdates, apply: updateManyUsers})

	add("organizations", "GET /api/v2/organizations", route{apply: listOrganizations})
	add("organizations", "GET /api/v2/organizations/show_many", route{apply: showManyOrganizations})
	add("organizations", "GET /api/v2/organizations/search", route{apply: searchOrganizations})
	add("organizations", "GET /api/v2/organizations/count", route{apply: countOrganizations})
	add("organizations", "GET /api/v2/organizations/{id}", route{apply: showOrganization})
	add("organizations", "DELETE /api/v2/organizations/{id}", route{adminOnly: true, writes: true, apply: deleteOrganization})
	add("organizations", "POST /api/v2/organizations", route{writes: true, parse: parseSingleOrganization, apply: createOrganization})
	add("organizations", "POST /api/v2/organizations/create_or_update", route{writes: true, parse: parseSingleOrganization, apply: createOrUpdateOrganization})
	add("organizations", "POST /api/v2/organizations/create_many", route{adminOnly: true, writes: true, parse: parseOrganizationBatch, apply: createManyOrganizations})

	add("memberships", "GET /api/v2/organization_memberships", route{apply: listMemberships})
	add("memberships", "POST /api/v2/organization_memberships", route{writes: true, parse: parseSingleMembership, apply: createMembership})
	add("memberships", "POST /api/v2/organization_memberships/create_many", route{adminOnly: true, writes: true, parse: parseMembershipBatch, apply: createManyMemberships})

	add("search", "GET /api/v2/search", route{apply: search})
	add("search", "GET /api/v2/search/count", route{apply: countSearch})
	add("search", "GET /api/v2/search/export", route{bucket: &searchExportBucket, apply: exportSearch})

	add("incremental", "GET /api/v2/incremental/tickets/cursor", route{adminOnly: true, bucket: &incrementalBucket, apply: exportTickets})
	add("incremental", "GET /api/v2/incremental/users/cursor", route{adminOnly: true, bucket: &incrementalBucket, apply: exportUsers})

	add("other", "GET /api/v2/ticket_fields", route{apply: listTicketFields})
	add("other", "GET /api/v2/user_fields", route{apply: listUserFields})
	add("other", "GET /api/v2/organization_fields", route{apply: listOrganizationFields})
	add("other", "GET /api/v2/groups", route{apply: listGroups})
	add("other", "GET /api/v2/brands", route{apply: listBrands})
	add("other", "GET /api/v2/account/settings", route{apply: showAccountSettings})

	add("uploads", "POST /api/v2/uploads", route{writes: true, parse: parseUpload, apply: createUpload})
	add("uploads", "DELETE /api/v2/uploads/{id}", route{writes: true, apply: deleteUpload})
	add("uploads", "GET /attachments/token/{id}", route{public: true, apply: downloadAttachment})
	add("uploads", "GET /content/token/{id}", route{public: true, apply: downloadContent})
	add("other", "GET /access/unauthenticated", route{public: true, apply: askToLogIn})

	add("oauth", "POST /oauth/tokens", route{public: true, writes: true, parse: parseGrant, apply: issueToken})
	return table
}()

// findRoute returns nil for what is no endpoint. The suffix .json is optional everywhere.
func findRoute(method, path string) (found *route, id string) {
	path = strings.TrimSuffix(strings.TrimSuffix(path, "/"), ".json")
	parts := strings.Split(path, "/")
	var name strings.Builder
	name.WriteString(method)
	name.WriteByte(' ')
	for i, part := range parts {
		name.WriteByte('/')
		if i > 0 && isID(parts[i-1], part) {
			id, part = part, "{id}"
		}
		name.WriteString(part)
	}
	return routes[name.String()], id
}

// isID tells ids from words: numbers are ids, and so is whatever follows these collections, but their own verbs.
func isID(collection, part string) bool {
	if part != "" && strings.Trim(part, "0123456789") == "" {
		return true
	}
	switch collection {
	case "job_statuses":
		return part != "show_many"
	case "uploads", "token":
		return true
	}
	return false
}
