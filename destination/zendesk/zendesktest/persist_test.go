package zendesktest_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"farewell/destination/zendesk/zendesktest"
)

func open(t *testing.T, dir string) site {
	t.Helper()
	fake, err := zendesktest.New(zendesktest.Options{DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	return serve(t, fake)
}

func (s site) dump(path string) string {
	s.t.Helper()
	return s.control("GET", path, nil).is(s.t, 200).text
}

// afterKill is the site that another process finds when this one is killed now.
func (s site) afterKill(dir string) site {
	s.t.Helper()
	journal, err := os.ReadFile(filepath.Join(dir, "acme.journal"))
	if err != nil {
		s.t.Fatal(err)
	}
	copied := s.t.TempDir()
	// The kill struck while a further entry was being written.
	torn := slices.Concat(journal, journal[:20])
	if err := os.WriteFile(filepath.Join(copied, "acme.journal"), torn, 0o600); err != nil {
		s.t.Fatal(err)
	}
	return open(s.t, copied)
}

func TestAcknowledgedWritesSurviveAKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	z := s.account("acme", object{"bulk_users": true, "faults": []object{{"kind": "job_fails_after", "after": 2, "on": "imports", "count": 1}}})
	z.job(z.post("users/create_many", object{"users": []object{{"name": "A", "email": "a@x.example", "external_id": "u"}}}))
	z.post("organizations", object{"organization": object{"name": "O", "external_id": "o"}}).is(t, 201)
	token := text(z.upload("a.pdf", "bytes").at("upload", "token"))
	z.importOne(object{"comments": []object{{"value": "c", "uploads": []string{token}}}})
	z.importMany(many(5, func(i int) object { return simple("failed" + itoa(i)) })...)
	z.importMany(many(100, func(i int) object { return simple("t" + itoa(i)) })...)
	z.call("DELETE", "tickets/7", nil).is(t, 204)
	access := z.grant(object{"grant_type": "client_credentials"}).at("access_token")
	// A job that is still running.
	z.configure(object{"seconds_per_ticket": 0.001})
	z.post("imports/tickets/create_many", object{"tickets": many(50, func(i int) object { return simple("last" + itoa(i)) })}).is(t, 200)

	again := s.afterKill(dir)
	for _, site := range []site{s, again} {
		until(t, "the last job", func() bool {
			return whole(site.control("GET", "accounts/acme/stats", nil).body["open_jobs"]) == 0
		})
	}
	for _, path := range []string{"users.ndjson", "organizations.ndjson"} {
		equal(t, path, again.dump("accounts/acme/"+path), s.dump("accounts/acme/"+path))
	}
	other := zendesk{t: t, site: again, name: "acme", url: again.url + "/accounts/acme/api/v2/", token: text(access)}
	equal(t, "jobs", other.get("job_statuses").text, z.get("job_statuses").text)
	for _, key := range []string{"tickets", "comments", "attachments", "emails_sent", "duplicate_external_ids"} {
		equal(t, key, other.stats()[key], z.stats()[key])
	}
	equal(t, "tickets", other.stats()["tickets"], 1+2+100-1+50)
	equal(t, "a ticket", other.get("tickets/9").text, z.get("tickets/9").text)
	other.importMany(simple("after"))
	equal(t, "tickets", other.stats()["tickets"], 1+2+100-1+50+1)
}

func TestResetSurvivesAKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	z := s.account("acme", object{"plan_per_minute": 123})
	z.importMany(simple("a"))
	s.control("POST", "accounts/acme/reset", nil).is(t, 204)
	equal(t, "tickets", z.stats()["tickets"], 0)
	equal(t, "requests", z.stats()["requests"], 0)
	z.importMany(simple("b"))
	again := s.afterKill(dir)
	equal(t, "plan", again.control("GET", "accounts/acme/settings", nil).body["plan_per_minute"], 123)
	equal(t, "tickets", again.control("GET", "accounts/acme/stats", nil).body["tickets"], 1)
}

func TestDataDirectoryIsForOneProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open(t, dir)
	if _, err := zendesktest.New(zendesktest.Options{DataDir: dir}); err == nil {
		t.Error("a second server uses the same directory")
	}
}
