package zendesk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"farewell/destination"
)

const (
	// clockTolerance is how far clocks may differ before it is worth a word:
	// the margins of look-ups are 2 minutes.
	clockTolerance = 30 * time.Second
)

// Preflight asks the account, with GETs but for one request that has no
// effect, for all that a run needs: who we
// are, the limits, the job list, the export, whether tickets of ours are there
// that the ledger does not know, and what a mapping names.
func (a *Account) Preflight(ctx context.Context, in destination.PreflightInput) ([]destination.Check, error) {
	checks := []destination.Check{a.checkAddress()}
	who, err := a.checkCredentials(ctx)
	checks = append(checks, who...)
	if err != nil || anyFatal(checks) {
		return checks, err
	}
	checks = append(checks, a.checkAuthKind(), a.checkRate(), a.checkClock())
	for _, check := range []func(context.Context, destination.PreflightInput) (destination.Check, error){
		a.checkJobs, a.checkExport, a.checkTag, a.checkBulkUsers, a.checkAgent,
	} {
		c, err := check(ctx, in)
		if err != nil {
			return checks, err
		}
		checks = append(checks, c)
	}
	if in.Mapping != nil {
		mapped, err := a.checkMapping(ctx, in.Mapping)
		if err != nil {
			return checks, err
		}
		checks = append(checks, mapped...)
	}
	return checks, nil
}

func anyFatal(checks []destination.Check) bool {
	for _, c := range checks {
		if c.Fatal && !c.OK {
			return true
		}
	}
	return false
}

func (a *Account) checkAddress() destination.Check {
	c := destination.Check{Name: "address", OK: true, Text: "requests go to " + a.base}
	if u, err := url.Parse(a.base); err == nil && u.Scheme == "http" && !loopback(u.Hostname()) {
		c.OK, c.Text = false, "credentials and records travel unencrypted to "+a.base
		c.Fix = "set the account's url to one that begins with https://"
	}
	return c
}

func loopback(host string) bool {
	return host == "localhost" || host == "::1" || strings.HasPrefix(host, "127.")
}

// checkCredentials asks who we are. Zendesk answers 200 with nobody when no
// credentials arrive, and to a wrong password.
func (a *Account) checkCredentials(ctx context.Context) ([]destination.Check, error) {
	me, err := a.me(ctx)
	switch kind := destination.KindOf(err); {
	case kind == destination.Credentials, kind == destination.Misconfigured, wrongHost(err):
		return []destination.Check{refusedCheck(err)}, nil
	case err != nil:
		return nil, err
	}
	login := destination.Check{Name: "credentials", OK: true, Text: "the account lets us in as user " + string(me.ID)}
	if !me.ID.positive() {
		return []destination.Check{{
			Name: "credentials", Fatal: true, Credential: true,
			Text: "the account answers, but takes us for an anonymous visitor",
			Fix:  "check the account's secret_ref: the secret must be " + secretForm(a.auth),
		}}, nil
	}
	role := destination.Check{Name: "role", OK: true, Fatal: true, Text: "the user is an admin"}
	if me.Role != "admin" {
		role.OK, role.Credential = false, true
		role.Text = "the user is no admin, and only admins may import tickets"
		role.Fix = "use the credentials of an admin"
	}
	login.Fatal = true
	return []destination.Check{login, role}, nil
}

// wrongHost tells that the host is unknown or not who it should be. In the
// middle of a run that passes; before it, the url has a fault.
func wrongHost(err error) bool {
	var e *destination.Error
	return errors.As(err, &e) && (e.Code == codeNoHost || e.Code == codeCertificate)
}

func refusedCheck(err error) destination.Check {
	c := destination.Check{Name: "credentials", Fatal: true, Text: err.Error()}
	if destination.KindOf(err) == destination.Credentials {
		c.Credential = true
		c.Fix = "check the account's auth and secret_ref, and that the token or client is active"
		return c
	}
	c.Name, c.Fix = "address", "check the account's url: it must be that of an active Zendesk account"
	return c
}

func secretForm(auth string) string {
	switch auth {
	case AuthAPIToken:
		return "email:token"
	case AuthClientCredentials:
		return "client_id:client_secret"
	}
	return "an access token"
}

// checkAuthKind warns of API tokens, which Zendesk removes
// (https://developer.zendesk.com/api-reference/introduction/security-and-auth/).
func (a *Account) checkAuthKind() destination.Check {
	if a.auth != AuthAPIToken {
		return destination.Check{Name: "token", OK: true, Text: "the credentials are of the kind " + a.auth}
	}
	return destination.Check{
		Name: "token", Text: "API tokens stop working on 2027-04-30, and unused ones sooner",
		Fix: "create an OAuth client in the account and set auth to " + AuthClientCredentials,
	}
}

func (a *Account) checkRate() destination.Check {
	said := a.pace.said()
	c := destination.Check{Name: "rate_limit", OK: true, Text: fmt.Sprintf("the account takes %d requests a minute", said)}
	switch {
	case said == 0:
		c.Text = "the account does not say how many requests a minute it takes"
	case a.plan == 0:
		c.OK, c.Text = false, fmt.Sprintf("the account takes %d requests a minute; without a plan, %d are assumed", said, assumedPlan)
		c.Fix = fmt.Sprintf("set plan_per_minute to %d in the accounts file", said)
	case said < a.plan:
		c.OK, c.Text = false, fmt.Sprintf("the account takes %d requests a minute, not the %d of the accounts file; the lower number is kept to", said, a.plan)
		c.Fix = fmt.Sprintf("set plan_per_minute to %d in the accounts file", said)
	}
	return c
}

func (a *Account) checkClock() destination.Check {
	ahead := a.clock.ahead()
	c := destination.Check{Name: "clock", OK: true, Text: "the account's clock agrees with ours"}
	if ahead.Abs() > clockTolerance {
		c.OK, c.Text = false, fmt.Sprintf("the account's clock is %s from ours", ahead.Abs().Round(time.Second))
		c.Fix = "synchronize this machine's clock"
	}
	return c
}

func (a *Account) checkJobs(ctx context.Context, _ destination.PreflightInput) (destination.Check, error) {
	open := 0
	err := a.listJobs(ctx, 1, func(j jobStatus) bool {
		if !j.ended() {
			open++
		}
		return true
	})
	c, err := readable("job_list", "the job list", err)
	if c.OK && open > 0 {
		c.Text = fmt.Sprintf("%d jobs are open in the account", open)
	}
	return c, err
}

func (a *Account) checkExport(ctx context.Context, _ destination.PreflightInput) (destination.Check, error) {
	since := a.startBefore(a.clock.theirs(time.Now()))
	if err := a.waitForExport(ctx); err != nil {
		return destination.Check{}, err
	}
	query := url.Values{"start_time": {strconv.FormatInt(since.Unix(), 10)}, "per_page": {"1"}}
	err := a.get(ctx, opExport, "/api/v2/incremental/tickets/cursor", query, func(r io.Reader) error {
		_, err := io.Copy(io.Discard, r)
		return err
	})
	return readable("incremental_export", "the incremental export", err)
}

// readable turns a refusal into a fatal check and passes on any other error.
func readable(name, what string, err error) (destination.Check, error) {
	switch kind := destination.KindOf(err); {
	case err == nil:
		return destination.Check{Name: name, OK: true, Fatal: true, Text: what + " can be read"}, nil
	case kind == destination.Credentials, kind == destination.Misconfigured, kind == destination.Refused:
		return destination.Check{
			Name: name, Fatal: true, Credential: kind == destination.Credentials,
			Text: what + " cannot be read: " + err.Error(),
			Fix:  "use the credentials of an admin with the scopes read and write",
		}, nil
	}
	return destination.Check{}, err
}

// checkTag finds tickets of ours in an account of which the ledger knows
// nothing: a lost ledger, a second installation, or a forgotten cron job. No
// override skips it, since the run would write every ticket again: a
// reconciliation does, after which the ledger knows what is there.
func (a *Account) checkTag(ctx context.Context, in destination.PreflightInput) (destination.Check, error) {
	c := destination.Check{Name: "our_tag", OK: true, Fatal: true}
	if !in.LedgerEmpty {
		c.Text = "the ledger knows this migration"
		return c, nil
	}
	n, err := a.countTagged(ctx)
	if err != nil {
		return c, err
	}
	c.Text = "no ticket in the account carries our tag"
	if n > 0 {
		c.OK = false
		c.Text = fmt.Sprintf("%d tickets in the account carry the tag %s, and the ledger knows nothing of this migration", n, Tag)
		c.Fix = "rebuild the ledger with: starter reconcile"
	}
	return c, nil
}

// countTagged counts by search, whose index lags by minutes: tickets that are
// as young as that belong to somebody who is at work right now.
// https://developer.zendesk.com/api-reference/ticketing/ticket-management/search/
func (a *Account) countTagged(ctx context.Context) (int64, error) {
	var counted struct {
		Count json.RawMessage `json:"count"`
	}
	query := url.Values{"query": {"type:ticket tags:" + Tag}}
	err := a.get(ctx, "count our tickets", "/api/v2/search/count", query, decodeInto(&counted))
	if err != nil {
		return 0, err
	}
	var n int64
	var wrapped struct{ Value int64 }
	if json.Unmarshal(counted.Count, &n) == nil {
		return n, nil
	}
	if json.Unmarshal(counted.Count, &wrapped) == nil {
		return wrapped.Value, nil
	}
	return 0, &destination.Error{Op: "count our tickets", Kind: destination.Temporary, Code: "no count in the answer", Err: &refusal{status: http.StatusOK}}
}
