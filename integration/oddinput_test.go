package integration_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// addCustomer puts a tenant without anything into the CRM, and an account for
// it into the accounts file.
func (s *stage) addCustomer(client, destination string) {
	s.t.Helper()
	s.change("insert into crm.clients values ($1, $1, 'team')", client)
	line := fmt.Sprintf("%s,csv,%s-csv,%s,,,,,\n", client, client, s.bundles)
	if destination == "zendesk" {
		s.addAccount(client)
		line = s.zendeskLine(client, "file:secrets/"+client)
	}
	s.addLine(line)
}

func (s *stage) zendeskLine(client, secretRef string) string {
	return fmt.Sprintf("%s,zendesk,%s,%s/accounts/%s,700,20,bearer,%s,\n", client, client, s.sandbox.URL, client, secretRef)
}

func (s *stage) addLine(line string) {
	s.t.Helper()
	file, err := os.OpenFile(s.accounts, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteString(line); err != nil {
		s.t.Fatal(err)
	}
}

// addAccount makes an account in the sandbox like those of the sample.
func (s *stage) addAccount(name string) {
	s.t.Helper()
	answer := s.sandbox.call(http.MethodPut, "accounts/"+name+"/settings", map[string]any{
		"plan_per_minute": 700, "time_scale": s.factor, "bulk_users": true,
		"ticket_fields": []map[string]any{{"id": 360500000001, "type": "text", "title": "Product"}, {"id": 360500000002, "type": "integer", "title": "Order number"}},
	})
	secret := text(decodeObject(s.t, answer)["token"])
	if err := os.WriteFile(filepath.Join(s.dir, "secrets", name), []byte(secret+"\n"), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func TestCustomerWithoutAnythingCompletesWithZeros(t *testing.T) {
	s := newStage(t, setting{tickets: 1})
	s.addCustomer("nothing-yet", "zendesk")
	s.addCustomer("nothing-either", "csv")
	s.startWorker()
	s.mustStart("start", "nothing-yet", "nothing-either", "--wait")
	for _, customer := range []string{"nothing-yet", "nothing-either"} {
		status := s.status(customer)
		if status["state"] != "completed" || number(t, status["percent"]) != 100 {
			t.Errorf("%s: the state is %s at %s %%", customer, status["state"], status["percent"])
		}
		for _, entity := range []string{"organizations", "users", "tickets"} {
			wantCounts(t, status, entity, nil)
		}
	}
	s.wantBundle("nothing-either-csv", "nothing-either")
}

func TestUnknownCustomersAreNamed(t *testing.T) {
	s := newStage(t, setting{tickets: 1})
	unknown := s.starter("start", "custoner-0001")
	if unknown.code != exitError {
		t.Errorf("want exit code %d: %s", exitError, unknown)
	}
	wantSaid(t, unknown, "unknown customer", "did you mean customer-0001")

	// It has an account, but the view has no such customer.
	s.addAccount("stranger")
	s.addLine(s.zendeskLine("stranger", "file:secrets/stranger"))
	s.startWorker()
	s.wantExit(exitAttention, "start", "stranger", "--wait")
	wantSaid(t, s.wantExit(exitAttention, "status", "stranger"), "no customer stranger", "check the spelling")
	wantSaid(t, s.wantExit(exitAttention, "check", "stranger"), "no customer stranger")
}

func TestViewsThatDoNotFitAreRefusedWithWhatToChange(t *testing.T) {
	const customer = "customer-0001"
	s := newStage(t, setting{tickets: 30})
	s.startWorker()
	for _, c := range []struct {
		name, breaks, mends string
		want                []string
	}{
		{
			"missing view",
			"alter view farewell.comments rename to comments_away", "alter view farewell.comments_away rename to comments",
			[]string{"comments"},
		},
		{
			"missing column",
			"alter view farewell.tickets rename column solved_at to solved", "alter view farewell.tickets rename column solved to solved_at",
			[]string{"tickets", "solved_at"},
		},
		{
			"time without zone",
			`alter view farewell.users rename to users_away; create view farewell.users as
				select customer_id, id, organization_id, name, email, phone, role, time_zone, locale, tags, created_at::timestamp as created_at, updated_at from farewell.users_away`,
			"drop view farewell.users; alter view farewell.users_away rename to users",
			[]string{"users", "created_at", "at time zone 'UTC'"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.change(c.breaks)
			checked := s.starter("check", customer)
			started := s.starter("start", customer, "--wait")
			status := s.starter("status", customer)
			s.change(c.mends)
			for _, a := range []answer{checked, started, status} {
				if a.code != exitAttention {
					t.Errorf("want exit code %d: %s", exitAttention, a)
				}
			}
			for _, a := range []answer{checked, status} {
				if said := strings.ToLower(a.stdout); !containsAll(said, c.want) {
					t.Errorf("it should say %q: %s", c.want, a)
				}
			}
		})
	}
	if n := number(t, s.sandbox.stats(customer)["tickets"]); n != 0 {
		t.Errorf("%d tickets were sent", n)
	}
	s.mustStart("start", customer, "--wait")
	s.wantEqual(customer, customer)
}

func containsAll(said string, texts []string) bool {
	return !slices.ContainsFunc(texts, func(want string) bool { return !strings.Contains(said, strings.ToLower(want)) })
}

// odd are texts that have broken other programs.
func odd() map[string]string {
	return map[string]string{
		"lone surrogate escapes":   `half of a pair, \ud800, as text, and the other, \udfff \u0000 \x00 %00`,
		"four-byte characters":     "𝒳𝔘𝔫𝔦 👩‍👩‍👧‍👦 🏴󠁧󠁢󠁳󠁣󠁴󠁿 𠜎𠜱",
		"right to left":            "שלום ‏abc‎ مرحبا بالعالم \u202eevil\u202c",
		"line ends":                "\r\n\rone\r\n\r\ntwo\n\nthree\u2028four\u0085five\v",
		"quotes":                   `"'` + "`" + `\",;|\t\\` + "\t" + `=cmd()+-@`,
		"markup as text":           "<script>alert(1)</script> &amp; &lt; </div> {{ticket.title}}",
		"controls":                 "bell \a, escape \x1b[31m, delete \x7f, \ufeff mark, \ufffd replaced",
		"combining":                "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢ e\u0301 \u00e9",
		"blank":                    " \n\t ",
		"a million letters":        strings.Repeat("All work and no play makes Jack a dull boy.\n", 1_000_000/44),
		"a million wide letters":   strings.Repeat("漢字かな交じり文", 1_000_000/24),
		"a million without breaks": strings.Repeat("x", 1_000_000),
	}
}

func TestOddTextsArriveWholeOrAreListed(t *testing.T) {
	s := newStage(t, setting{customers: 3, tickets: 10})
	names := make([]string, 0, len(odd()))
	for name := range odd() {
		names = append(names, name)
	}
	slices.Sort(names)
	clients := []string{"customer-0001", "customer-0003"}
	for c, client := range clients {
		for i, name := range names {
			s.openWith(client, 500_000+1000*c+2*i, name, odd()[name], "text")
			s.openWith(client, 500_000+1000*c+2*i+1, name, "<p>"+odd()[name]+"</p>", "html")
		}
	}
	s.startWorker()
	if a := s.starter("start", "customer-0001", "customer-0003", "--wait"); a.code != exitOK && a.code != exitFailures {
		t.Fatal(a)
	}
	var listed []string
	for _, f := range s.failures("customer-0001") {
		if f["outcome"] == "failed" {
			listed = append(listed, text(f["source_id"]))
			t.Logf("listed: %s %s: %s: %s", f["entity"], f["source_id"], f["code"], f["text"])
		}
	}
	s.wantEqual("customer-0001", "customer-0001", listed...)
	s.wantChangesListed("customer-0001")
	s.wantBundle("customer-0003-csv", "customer-0003")
}

// wantChangesListed: each message that could not arrive as it was is listed with
// the hash of what the CRM has, and nothing else is.
func (s *stage) wantChangesListed(client string) {
	s.t.Helper()
	want, contents := map[string]bool{}, map[string]string{}
	for _, c := range s.conversations(client) {
		for _, m := range objects(s.t, c["messages"]) {
			no, content := text(m["message_no"]), text(m["content"])
			contents[no] = content
			switch {
			case strings.TrimSpace(content) == "":
				want[no+" body_blank"] = true
			case len(content) > bodyLimit:
				want[no+" body_split"] = true
			}
		}
	}
	changes := decodeList(s.t, []byte(s.mustStart("changes", client, "-o", "json").stdout))
	got := map[string]bool{}
	for _, c := range changes {
		if c["rule"] == "agent_replaced" { // the sample's last agent has no seat
			continue
		}
		no, _, _ := strings.Cut(text(c["part"]), "+")
		got[no+" "+text(c["rule"])] = true
		if sum := sha256.Sum256([]byte(contents[no])); c["entity"] != "tickets" || c["field"] != "comments.body" || c["before"] != hex.EncodeToString(sum[:]) {
			s.t.Errorf("listed: %v", c)
		}
	}
	if !maps.Equal(got, want) {
		s.t.Errorf("changes listed %v, want %v", got, want)
	}
	if n := number(s.t, s.status(client)["changes"]); n != len(changes) {
		s.t.Errorf("status counts %d changes of %d", n, len(changes))
	}
}

// openWith puts a ticket with one message into the CRM, old enough for pieces
// of it to be a second apart.
func (s *stage) openWith(client string, no int, title, content, markup string) {
	s.t.Helper()
	s.change(`
		with c as (
			insert into crm.conversations
			select $2, client, opened_by, null, company_no, $3, 'active', 3, 'ask', 'mail', null, null, '2020-01-01Z', '2020-01-02Z', null
			from crm.conversations where client = $1 order by conversation_no limit 1
			returning conversation_no, client, opened_by, opened_at)
		insert into crm.messages
		select (select max(message_no) + 1 from crm.messages), client, conversation_no, opened_by, false, $4, $5::text::crm.markup, opened_at from c`,
		client, no, title, content, markup)
}

func TestTicketOfThreeThousandCommentsArrivesWhole(t *testing.T) {
	s := newStage(t, setting{customers: 3, tickets: 10})
	clients := []string{"customer-0001", "customer-0003"}
	for i, client := range clients {
		no := 700_000 + i
		s.openWith(client, no, "a long story", "once upon a time", "text")
		s.change(`
			insert into crm.messages
			select (select max(message_no) from crm.messages) + n, client, conversation_no, opened_by, n % 7 = 0, 'chapter ' || n, 'text', opened_at + n * interval '1 second'
			from crm.conversations, generate_series(1, 2999) n where conversation_no = $1`, no)
	}
	s.startWorker()
	s.mustStart("start", "customer-0001", "customer-0003", "--wait")
	s.wantEqual("customer-0001", "customer-0001")
	s.wantBundle("customer-0003-csv", "customer-0003")
}
