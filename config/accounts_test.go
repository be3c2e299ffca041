package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"farewell/destination"
	"farewell/migration"
)

const header = "customer,destination,account,url,plan_per_minute,reserved_percent,auth,secret_ref\n"

func TestAccountsFileIsRead(t *testing.T) {
	t.Parallel()
	accounts, err := parseAccounts("accounts.csv", "\ufeff"+header+
		"acme,zendesk,acme,https://acme.zendesk.com/,400,,oauth_client_credentials,file:secrets/acme\n"+
		"acme,zendesk,acme-trial,https://acme-trial.zendesk.com,,0,bearer,env:TRIAL\n"+
		"\"big, inc\",csv,bundle,/srv/bundles,,,,\n")
	if err != nil {
		t.Fatal(err)
	}
	if len(accounts) != 3 || len(accounts.ByCustomer("acme")) != 2 {
		t.Fatalf("accounts: %+v", accounts)
	}
	a := accounts[0]
	if a.URL != "https://acme.zendesk.com" || a.PlanPerMinute != 400 || a.ReservedPercent != 20 || a.Auth != "oauth_client_credentials" {
		t.Errorf("first account: %+v", a)
	}
	if b := accounts[1]; b.PlanPerMinute != 0 || b.ReservedPercent != 0 {
		t.Errorf("second account: %+v", b)
	}
	m := migration.Migration{Customer: "big, inc", Destination: "csv", Account: "bundle"}
	if got, ok := accounts.Of(m); !ok || got.URL != "/srv/bundles" {
		t.Errorf("account of %s: %+v, %t", m, got, ok)
	}
	if ids := accounts.Customers(); len(ids) != 2 || ids[0] != "acme" || ids[1] != "big, inc" {
		t.Errorf("customers: %q", ids)
	}
}

func TestAccountsFileErrorsNameLineColumnAndFix(t *testing.T) {
	t.Parallel()
	const good = "acme,zendesk,acme,https://acme.zendesk.com,400,20,bearer,env:ACME\n"
	for _, c := range []struct{ name, text, want string }{
		{"empty file", "", "a.csv:1:1: the file is empty: its first line must be customer,destination,"},
		{"header in another order", "customer,account,destination\n", "a.csv:1:10: the header is not as expected: the first line must be customer,destination,"},
		{"header too short", "customer,destination\n", "a.csv:1:1: the header is not as expected"},
		{"too few fields", header + good + "b,csv,b\n", "a.csv:3:7: account: the line has 3 fields, 8 are expected"},
		{"too many fields", header + strings.TrimSpace(good) + ",x\n", "a.csv:2:58: secret_ref: the line has 9 fields, 8 are expected"},
		{"bare quote", header + "a\"b,csv,b,/tmp,,,,\n", "a.csv:2:2: not a CSV line: bare \" in non-quoted-field; a field with a quote"},
		{"no customer", header + ",csv,b,/tmp,,,,\n", "a.csv:2:1: customer: empty: it must be the customer's id"},
		{"no account", header + "b,csv,,/tmp,,,,\n", `a.csv:2:7: account: empty: give the account a name, for example "b"`},
		{"unknown destination", header + "b,freshdesk,b,/tmp,,,,\n", `a.csv:2:3: destination: "freshdesk" is none: it must be zendesk or csv`},
		{"no folder", header + "b,csv,b,,,,,\n", "a.csv:2:9: url: empty: it must be the folder"},
		{"no web address", header + "b,zendesk,b,acme.zendesk.com,,,bearer,env:B\n", "a.csv:2:13: url: not a web address"},
		{"password in the url", header + "b,zendesk,b,https://u:hunter2@acme.zendesk.com,,,bearer,env:B\n", "a.csv:2:13: url: it must hold neither a user"},
		{"plan in words", header + "b,zendesk,b,https://b.zendesk.com,lots,,bearer,env:B\n", `a.csv:2:35: plan_per_minute: "lots" is not a number`},
		{"all reserved", header + "b,zendesk,b,https://b.zendesk.com,,100,bearer,env:B\n", `a.csv:2:36: reserved_percent: "100" is not a percentage from 0 to 95`},
		{"unknown auth", header + "b,zendesk,b,https://b.zendesk.com,,,basic,env:B\n", `a.csv:2:37: auth: "basic" is none: it must be oauth_client_credentials, bearer, api_token`},
		{"auth for csv", header + "b,csv,b,/tmp,,,bearer,\n", `a.csv:2:16: auth: "bearer", but a csv destination has none`},
		{"secret for csv", header + "b,csv,b,/tmp,,,,env:B\n", "a.csv:2:17: secret_ref: a csv destination has no secret"},
		{"secret in the file", header + "b,zendesk,b,https://b.zendesk.com,,,bearer,hunter2\n", "a.csv:2:44: secret_ref: it must be env:NAME or file:PATH"},
		{"secret of no name", header + "b,zendesk,b,https://b.zendesk.com,,,bearer,env:\n", "a.csv:2:44: secret_ref: it must be env:NAME or file:PATH"},
		{"the same line twice", header + good + good, `a.csv:3:14: account: customer "acme" has account "acme" in line 2 already`},
		{
			"one account under two names", header + good + "b,zendesk,b,https://acme.zendesk.com/,,,bearer,env:B\n",
			`a.csv:3:11: account: line 2 calls the account at this url "acme"`,
		},
		{
			"two accounts under one name", header + good + "b,zendesk,acme,https://b.zendesk.com,,,bearer,env:B\n",
			`a.csv:3:16: url: line 2 has another url for account "acme"`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := parseAccounts("a.csv", c.text)
			if err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Fatalf("got  %v\nwant %s", err, c.want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error shows a secret: %v", err)
			}
		})
	}
}

func TestMissingAccountsFileSaysHowToSetIt(t *testing.T) {
	t.Parallel()
	_, err := ReadAccounts(filepath.Join(t.TempDir(), "accounts.csv"))
	if err == nil || !strings.Contains(err.Error(), "FAREWELL_ACCOUNTS") {
		t.Errorf("got %v", err)
	}
}

func TestSecretIsReadAnewAtEachUse(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "accounts.csv")
	write(t, path, header+"acme,zendesk,acme,https://acme.zendesk.com,,,bearer,file:token\n")
	accounts, err := ReadAccounts(path)
	if err != nil {
		t.Fatal(err)
	}
	read := accounts[0].Secret
	if _, err := read(); err == nil || !strings.Contains(err.Error(), `account "acme"`) {
		t.Errorf("a missing file: %v", err)
	}
	for _, want := range []string{"first", "second"} {
		write(t, filepath.Join(folder, "token"), want+"\n")
		if got, err := read(); err != nil || got != want {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
	}
	write(t, filepath.Join(folder, "token"), " \n")
	if _, err := read(); err == nil || !strings.Contains(err.Error(), "file:token is empty") {
		t.Errorf("an empty secret: %v", err)
	}
}

// Not parallel: it sets a variable.
func TestSecretOfTheEnvironment(t *testing.T) {
	t.Setenv("ACME_TOKEN", "s3cret")
	s := secret{account: "acme", kind: "env", name: "ACME_TOKEN"}
	if got, err := s.read(); err != nil || got != "s3cret" {
		t.Errorf("got %q, %v", got, err)
	}
	t.Setenv("ACME_TOKEN", "")
	if _, err := s.read(); err == nil || !strings.Contains(err.Error(), "env:ACME_TOKEN is empty or not set") {
		t.Errorf("got %v", err)
	}
}

func TestFollowedAccountsFileSurvivesHalfAnEdit(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "accounts.csv")
	write(t, path, header+"a,csv,a,/tmp,,,,\n")
	var told []error
	f, err := FollowAccounts(path, func(err error) { told = append(told, err) })
	if err != nil {
		t.Fatal(err)
	}
	expect := func(step string, customers, errors int) {
		t.Helper()
		for range 2 { // the second look must neither read nor tell again
			if got := len(f.Accounts()); got != customers || len(told) != errors {
				t.Errorf("%s: %d accounts, told %v; want %d and %d", step, got, told, customers, errors)
			}
		}
	}
	expect("as it was", 1, 0)
	write(t, path, header+"a,csv,a,/tmp,,,,\nb,csv")
	expect("half an edit", 1, 1)
	write(t, path, header+"a,csv,a,/tmp,,,,\nb,csv,b,/tmp,,,,\n")
	expect("the whole edit", 2, 1)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	expect("gone", 2, 2)
}

func TestFollowAccountsWantsAGoodFileToBeginWith(t *testing.T) {
	t.Parallel()
	if _, err := FollowAccounts(filepath.Join(t.TempDir(), "none"), nil); err == nil {
		t.Error("a missing file was taken")
	}
}

func TestMigrationToNamesTheAccountsMigration(t *testing.T) {
	t.Parallel()
	m := MigrationTo(destination.Account{Customer: "acme", Kind: "csv", Name: "bundle"})
	if m.WorkflowID() != "migrate/acme/bundle" || m.Destination != "csv" {
		t.Errorf("got %+v", m)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
