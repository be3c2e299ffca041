package zendesktest_test

import (
	"strings"
	"testing"
)

func TestFact06BulkUsersAreForbiddenUntilEnabled(t *testing.T) {
	t.Parallel()
	z := newAccount(t, object{"bulk_users": false})
	body := object{"users": []object{{"name": "A", "email": "a@x.example"}}}
	z.post("users/create_many", body).is(t, 403)
	z.post("users/create_or_update_many", body).is(t, 403)
	if z.real() {
		return // only Zendesk can change it
	}
	z.configure(object{"bulk_users": true})
	equal(t, "status", z.job(z.post("users/create_many.json", body))["status"], "completed")
}

func TestFact06BulkResultsHaveNoIndexAndSomeEmail(t *testing.T) {
	t.Parallel()
	z := newAccount(t, object{"bulk_users": true})
	job := z.job(z.post("users/create_or_update_many", object{"users": []object{
		{"name": "A", "email": strings.ToUpper(z.mail("a")), "external_id": z.own("f-1"), "identities": []object{{"type": "email", "value": z.mail("other")}}},
		{"name": "B", "external_id": z.own("f-2")},
	}}))
	equal(t, "job_type", job["job_type"], "Bulk Create User")
	equal(t, "email", at(job["results"], 0, "email"), strings.ToLower(z.mail("other")))
	for i, external := range []string{"f-1", "f-2"} {
		equal(t, "external_id", at(job["results"], i, "external_id"), z.own(external))
		equal(t, "status", at(job["results"], i, "status"), "Created")
		equal(t, "index", at(job["results"], i, "index"), nil)
	}
	job = z.job(z.post("users/create_or_update_many", object{"users": []object{{"name": "A2", "external_id": z.own("F-1")}}}))
	equal(t, "status", at(job["results"], 0, "status"), "Updated")
	users := z.get("users/show_many" + query("external_ids", z.own("f-1")+",missing")).list("users")
	equal(t, "users found without case", len(users), 1)
	equal(t, "external_id in its new case", at(users, 0, "external_id"), z.own("F-1"))
	equal(t, "email is stored in lower case", at(users, 0, "email"), strings.ToLower(z.mail("a")))
}

func TestFact06EmailsAndExternalIDsAreUniqueWithoutCase(t *testing.T) {
	t.Parallel()
	z := newAccount(t, object{"bulk_users": true})
	z.user(object{"name": "A", "email": z.mail("a"), "external_id": z.own("f-1")})
	r := z.post("users", object{"user": object{"name": "B", "email": " " + strings.ToUpper(z.mail("a")) + " "}}).is(t, 422)
	equal(t, "detail", r.at("details", "email", 0), object{"description": "Email: " + z.mail("a") + " is already being used by another user", "error": "DuplicateValue"})
	r = z.post("users", object{"user": object{"name": "B", "external_id": z.own("F-1")}}).is(t, 422)
	equal(t, "code", r.at("details", "external_id", 0, "error"), "DuplicateValue")
	r = z.post("users", object{"user": object{"name": "B", "identities": []object{{"type": "email", "value": z.mail("a")}}}}).is(t, 422)
	equal(t, "code", r.at("details", "value", 0, "error"), "DuplicateValue")
	job := z.job(z.post("users/create_many", object{"users": []object{{"name": "C", "email": z.mail("c")}, {"name": "B", "email": z.mail("a"), "external_id": z.own("f-9")}}}))
	equal(t, "status of the job", job["status"], "completed")
	failed := at(job["results"], 1)
	equal(t, "failed item", []any{at(failed, "status"), at(failed, "id"), at(failed, "external_id")}, []any{"Failed", nil, z.own("f-9")})
	z.counted("users", 4)
}

func TestFact06RefusedUsers(t *testing.T) {
	t.Parallel()
	z := newAccount(t, nil)
	for _, row := range []struct {
		name, field string
		user        object
	}{
		{"no name", "name", object{"email": z.mail("a")}},
		{"long name", "name", object{"name": strings.Repeat("n", 256)}},
		{"no e-mail address", "email", object{"name": "A", "email": "nobody"}},
		{"blank in the e-mail", "email", object{"name": "A", "email": "no body@x.example"}},
		{"unknown role", "role", object{"name": "A", "role": "king"}},
		{"unknown organization", "organization", object{"name": "A", "organization_id": 42}},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := z.post("users", object{"user": row.user}).is(t, 422)
			if r.at("details", row.field) == nil {
				t.Errorf("details are %s", r.text)
			}
		})
	}
}

func TestFact06MailsThatZendeskWouldSend(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		user  object
		mails int
	}{
		{"by default", object{"name": "A", "email": "a@x.example"}, 1},
		{"skipped", object{"name": "A", "email": "a@x.example", "skip_verify_email": true}, 0},
		{"verified", object{"name": "A", "email": "a@x.example", "verified": true}, 0},
		{"no e-mail", object{"name": "A"}, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			z := newAccount(t, object{"bulk_users": true})
			z.job(z.post("users/create_many", object{"users": []object{row.user}}))
			equal(t, "emails_sent", z.stats()["emails_sent"], row.mails)
		})
	}
}

func TestFact06SingleCreateOrUpdateIsOneASecond(t *testing.T) {
	t.Parallel()
	z := newAccount(t, nil)
	body := object{"user": object{"name": "A", "email": z.mail("a")}}
	var status []int
	until(t, "a second request in the same second", func() bool {
		first := z.post("users/create_or_update", body)
		second := z.post("users/create_or_update", body)
		status = []int{first.status, second.status}
		if second.header.Get("zendesk-ratelimit-create-update-user") == "" {
			t.Fatal("no header of the bucket")
		}
		return first.status < 300 && second.status == 429
	})
	if status[0] != 200 && status[0] != 201 {
		t.Errorf("create_or_update answered %v", status)
	}
	z.post("users", object{"user": object{"name": "B"}}).is(t, 201)
	z.post("users", object{"user": object{"name": "C"}}).is(t, 201)
}

func TestFact06IdentitiesAndPhonesAreAdded(t *testing.T) {
	t.Parallel()
	z := newAccount(t, nil)
	id := itoa(int(z.user(object{"name": "A", "email": z.mail("a"), "phone": "+1"})))
	z.post("users/"+id+"/identities.json", object{"identity": object{"type": "email", "value": strings.ToUpper(z.mail("b"))}}).is(t, 201)
	z.call("PUT", "users/"+id, object{"user": object{"phone": "+2"}}).is(t, 200)
	var values []string
	for _, identity := range z.get("users/" + id + "/identities").list("identities") {
		values = append(values, text(at(identity, "value")))
	}
	equal(t, "identities", values, []string{z.mail("a"), "+1", z.mail("b"), "+2"})
}

func TestFact06OrganizationNamesAreUniqueAndTrimmed(t *testing.T) {
	t.Parallel()
	z := newAccount(t, nil)
	job := z.job(z.post("organizations/create_many.json", object{"organizations": []object{{"name": " " + z.own("Acme") + " ", "external_id": z.own("O-1")}}}))
	equal(t, "result", at(job["results"], 0, "status"), "Created")
	equal(t, "index", at(job["results"], 0, "index"), nil)
	r := z.post("organizations", object{"organization": object{"name": z.own("Acme")}}).is(t, 422)
	equal(t, "detail", r.at("details", "name", 0), object{"description": "Name: " + z.own("Acme") + " has already been taken", "error": "DuplicateValue"})
	job = z.job(z.post("organizations/create_many", object{"organizations": []object{{"name": z.own("Acme")}}}))
	equal(t, "status", job["status"], "failed")
	equal(t, "details", at(job["results"], 0, "details"), "Name: "+z.own("Acme")+" has already been taken")
	z.post("organizations", object{"organization": object{"name": z.own("Other"), "external_id": z.own("o-1")}}).is(t, 422)
	for _, path := range []string{"organizations/show_many" + query("external_ids", z.own("o-1")), "organizations/search" + query("external_id", z.own("o-1")), "organizations/search" + query("name", z.own("acme"))} {
		equal(t, path, externalIDs(z.get(path).list("organizations")), []string{z.own("O-1")})
	}
}

func TestFact06OrganizationsAreUpdatedByExternalIDNotByName(t *testing.T) {
	t.Parallel()
	z := newAccount(t, nil)
	z.post("organizations/create_or_update", object{"organization": object{"name": z.own("Acme"), "external_id": z.own("1")}}).is(t, 201)
	z.post("organizations/create_or_update", object{"organization": object{"name": z.own("Acme Ltd"), "external_id": z.own("1")}}).is(t, 200)
	z.post("organizations/create_or_update", object{"organization": object{"name": z.own("Acme Ltd")}}).is(t, 422)
	z.post("organizations/create_or_update", object{"organization": object{"name": z.own("Acme"), "external_id": z.own("2")}}).is(t, 201)
	z.post("organizations/create_or_update_many", object{"organizations": []object{}}).is(t, 404)
}

func TestFact06Memberships(t *testing.T) {
	t.Parallel()
	z := newAccount(t, nil)
	first := z.post("organizations", object{"organization": object{"name": z.own("1")}}).at("organization", "id")
	second := z.post("organizations", object{"organization": object{"name": z.own("2")}}).at("organization", "id")
	user := z.user(object{"name": "A", "organization_id": first})
	job := z.job(z.post("organization_memberships/create_many", object{"organization_memberships": []object{{"user_id": user, "organization_id": second}, {"user_id": user, "organization_id": first}}}))
	equal(t, "status", job["status"], "completed")
	if at(job["results"], 1, "error") == nil {
		t.Error("a membership that exists was created again")
	}
	equal(t, "memberships", len(z.get("organization_memberships"+query("user_id", itoa(int(user)))).list("organization_memberships")), 2)
	stored, _ := z.importOne(object{"requester_id": user, "organization_id": second, "comments": []object{{"value": "c"}}})
	equal(t, "organization_id", stored["organization_id"], second)
	stored, _ = z.importOne(object{"requester_id": user, "comments": []object{{"value": "c"}}})
	equal(t, "organization_id by default", stored["organization_id"], first)
}

func TestFact06UserWithoutTimeZoneOrLocaleHasTheAccounts(t *testing.T) {
	t.Parallel()
	z := newAccount(t, nil)
	r := z.post("users", object{"user": object{"name": "U"}}).is(t, 201)
	equal(t, "time_zone", r.at("user", "time_zone"), "UTC")
	equal(t, "locale", r.at("user", "locale"), "en-US")
}
