package zendesktest_test

import "testing"

func TestFact06UpdateManyChangesEachAsItSays(t *testing.T) {
	t.Parallel()
	z := newAccount(t, nil) // bulk import is off: updates are not part of it
	a, b := z.user(object{"name": "A", "email": "a@x.example"}), z.user(object{"name": "B"})
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
	z.user(object{"name": "A"})
	equal(t, "users", z.get("users/count").at("count", "value"), 3)
	equal(t, "organizations", z.get("organizations/count").at("count", "value"), 0)
}

func TestFact06AgentsAreListedByRole(t *testing.T) {
	t.Parallel()
	z := newAccount(t, object{"agents": []object{{"name": "Ann", "email": "Ann@x.example", "role": "agent"}}})
	z.user(object{"name": "A"})
	var names []string
	for _, u := range z.get("users?role[]=agent&role[]=admin&page[size]=100").list("users") {
		names = append(names, text(at(u, "name")))
	}
	equal(t, "agents", names, []string{"Owner", "Agent", "Ann"})
}

func TestFact06MembershipsOfAUserBeginWithTheDefaultOne(t *testing.T) {
	t.Parallel()
	z := newAccount(t, nil)
	b := z.post("organizations", object{"organization": object{"name": "b"}}).at("organization", "id")
	a := z.post("organizations", object{"organization": object{"name": "a"}}).at("organization", "id")
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
	z := newAccount(t, nil)
	z.post("users/create_many", object{"users": []object{}}).is(t, 403)
	z = newAccount(t, object{"bulk_users": true})
	z.post("users/create_many", object{"users": []object{}}).is(t, 400)
}
