package zendesktest_test

import "testing"

func TestFact06UpdateManyChangesEachAsItSays(t *testing.T) {
	t.Parallel()
	z := newAccount(t, nil) // bulk import is off: updates are not part of it
	a, b := z.user(object{"name": "A", "email": z.mail("a")}), z.user(object{"name": "B"})
	job := z.job(z.call("PUT", "users/update_many", object{"users": []object{{"id": a, "suspended": true}, {"id": 42, "suspended": true}}}))
	equal(t, "job_type", job["job_type"], "Bulk Update User")
	equal(t, "status", at(job["results"], 0, "status"), "Updated")
	if at(job["results"], 1, "error") == nil {
		t.Error("a user who is not there was updated")
	}
	for id, want := range map[float64]bool{a: true, b: false} {
		equal(t, "suspended", z.get("users/"+itoa(int(id))).at("user", "suspended"), want)
	}
}

func TestFact06CountsAreCappedWhileTheyAreRefreshed(t *testing.T) {
	t.Parallel()
	z := newAccount(t, nil)
	users, organizations := whole(z.get("users/count").at("count", "value")), whole(z.get("organizations/count").at("count", "value"))
	z.user(object{"name": "A"})
	equal(t, "users", z.get("users/count").at("count", "value"), users+1)
	equal(t, "organizations", z.get("organizations/count").at("count", "value"), organizations)
}

func TestFact06AgentsAreListedByRole(t *testing.T) {
	t.Parallel()
	z := asIs(t, object{"agents": []object{{"name": "Ann", "email": "Ann@x.example", "role": "agent"}}})
	z.user(object{"name": "A"})
	var names []string
	for _, u := range z.get("users?role[]=agent&role[]=admin&page[size]=100").list("users") {
		names = append(names, text(at(u, "name")))
		if role := at(u, "role"); role != "agent" && role != "admin" {
			t.Errorf("a user of the role %v is listed", role)
		}
	}
	if z.real() {
		if len(names) == 0 {
			t.Error("there is no agent")
		}
		return
	}
	equal(t, "agents", names, []string{"Owner", "Agent", "Ann"})
}

func TestFact06AnOrganizationWithoutMembersCanBeDeleted(t *testing.T) {
	t.Parallel()
	z := newAccount(t, nil)
	id := itoa(whole(z.post("organizations", object{"organization": object{"name": z.own("empty")}}).is(t, 201).at("organization", "id")))
	z.user(object{"name": "A"})
	z.call("DELETE", "organizations/"+id, nil).is(t, 204)
	z.get("organizations/"+id).is(t, 404)
}

func TestFact06MembershipsOfAUserBeginWithTheDefaultOne(t *testing.T) {
	t.Parallel()
	z := newAccount(t, nil)
	b := z.post("organizations", object{"organization": object{"name": z.own("b")}}).at("organization", "id")
	a := z.post("organizations", object{"organization": object{"name": z.own("a")}}).at("organization", "id")
	user := z.user(object{"name": "A", "organization_id": b})
	z.post("organization_memberships", object{"organization_membership": object{"user_id": user, "organization_id": a}}).is(t, 201)
	var of []any
	for _, m := range z.get("users/" + itoa(int(user)) + "/organization_memberships").list("organization_memberships") {
		of = append(of, at(m, "organization_id"))
	}
	equal(t, "organizations", of, []any{b, a})
}

func TestFact06BulkImportIsRefusedBeforeTheBodyIsLookedAt(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		enabled bool
		status  int
	}{"off": {false, 403}, "on": {true, 400}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			newAccount(t, object{"bulk_users": row.enabled}).post("users/create_many", object{"users": []object{}}).is(t, row.status)
		})
	}
}
