package zendesk

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"farewell/destination"
	"farewell/migration"
)

// opImport names the request of an entity in errors.
func opImport(e migration.Entity) string { return "import " + string(e) }

// endpoint is where an entity's records go. Tickets go to the import alone:
// tickets/create_many would run triggers and mail people.
func endpoint(e migration.Entity, single bool) (method, path string) {
	if e == migration.Suspensions {
		// https://developer.zendesk.com/api-reference/ticketing/users/users/#update-many-users
		return http.MethodPut, "/api/v2/users/update_many"
	}
	path = map[migration.Entity]string{
		migration.Organizations: "/api/v2/organizations",
		migration.Users:         "/api/v2/users",
		migration.Tickets:       "/api/v2/imports/tickets",
		migration.Memberships:   "/api/v2/organization_memberships",
	}[e]
	if !single {
		path += "/create_many"
	}
	return http.MethodPost, path
}

// Submit sends the parcel, once. A place must have been reserved. The time in
// the batch is compared with this machine's clock.
func (a *Account) Submit(ctx context.Context, b migration.Batch, p destination.Parcel) (destination.Receipt, error) {
	if b.Entity == migration.Users && !p.Single && a.bulkUsersOff.Load() {
		return destination.Receipt{}, bulkUsersOff(opImport(b.Entity))
	}
	method, path := endpoint(b.Entity, p.Single)
	ans, err := a.dispatch(ctx, call{
		op:     opImport(b.Entity),
		method: method,
		path:   path,
		body:   p.Body,
		form:   "application/json",
		sendBy: b.SendBy,
	})
	switch {
	case p.Single:
		return a.singleReceipt(ctx, b.Entity, p, ans, err)
	case err != nil:
		return destination.Receipt{}, a.submitError(b.Entity, ans, err)
	}
	return a.jobReceipt(b, p, ans)
}

// dispatch waits for the window if it has turned since the reservation, and
// sends.
func (a *Account) dispatch(ctx context.Context, c call) (*answer, error) {
	inTime, cancel := ctx, context.CancelFunc(func() {})
	if !c.sendBy.IsZero() {
		inTime, cancel = context.WithDeadline(ctx, c.sendBy)
	}
	defer cancel()
	if err := a.waitForEndpoint(inTime, c); err != nil {
		return nil, a.notSent(ctx, c.op, err)
	}
	if err := a.pace.use(inTime); err != nil {
		return nil, a.notSent(ctx, c.op, err)
	}
	ans, err := a.post(inTime, c)
	if err != nil && destination.KindOf(err) == "" {
		return nil, a.notSent(ctx, c.op, err)
	}
	return ans, a.renewedCredentials(ans, err)
}

// notSent is the error for a request that nothing was sent of.
func (a *Account) notSent(ctx context.Context, op string, err error) error {
	var e *destination.Error
	switch {
	case errors.As(err, &e):
		return e
	case ctx.Err() != nil:
		return &destination.Error{Op: op, Kind: destination.Temporary, Code: "cancelled before sending", Err: ctx.Err()}
	}
	return &destination.Error{Op: op, Kind: destination.Temporary, Code: "not sent in time", Err: err}
}

// renewedCredentials turns a 401 that met a token at the end of its life into
// a temporary refusal: it had no effect, and the next request gets a new one.
func (a *Account) renewedCredentials(ans *answer, err error) error {
	var e *destination.Error
	if ans == nil || ans.status != http.StatusUnauthorized || !errors.As(err, &e) || !ans.tokenExpired {
		return err
	}
	e.Kind, e.Code, e.Fix = destination.Temporary, "401 token expired", ""
	return e
}

// submitError adds what only a bulk request can mean to its refusal.
func (a *Account) submitError(e migration.Entity, ans *answer, err error) error {
	var d *destination.Error
	if !errors.As(err, &d) {
		return err
	}
	if d.Code == codeTooManyJobs {
		d.RetryAfter = max(d.RetryAfter, a.slots.refused())
	}
	if e == migration.Users && ans != nil && ans.status == http.StatusForbidden && d.Kind == destination.Credentials {
		a.bulkUsersOff.Store(true)
		a.log.Warn("the account has bulk user import switched off: users go one by one; Zendesk's support enables it at the owner's request")
		return bulkUsersOff(d.Op)
	}
	return d
}

func bulkUsersOff(op string) error {
	return &destination.Error{
		Op: op, Kind: destination.TooLarge, Code: "bulk users off",
		Fix: "users go one by one; to be faster, the account's owner asks Zendesk's support to enable bulk user import",
	}
}

// jobReceipt reads the job's id. An answer without one leaves the batch in
// doubt: something was done.
func (a *Account) jobReceipt(b migration.Batch, p destination.Parcel, ans *answer) (destination.Receipt, error) {
	var accepted struct {
		Job struct {
			ID id `json:"id"`
		} `json:"job_status"`
	}
	if err := json.Unmarshal(ans.body, &accepted); err != nil || accepted.Job.ID == "" {
		return destination.Receipt{}, &destination.Error{
			Op: opImport(b.Entity), Kind: destination.InDoubt, Code: "no job in the answer", Err: statusError(ans, problem{}),
		}
	}
	jobID := string(accepted.Job.ID)
	a.jobs.expect(jobID, time.Now().Add(time.Duration(len(p.Sent)+jobStart)*a.timings.JobPerTicket))
	if b.Entity == migration.Users || b.Entity == migration.Organizations {
		a.jobs.keepBody(jobID, p.Body)
	}
	return destination.Receipt{JobID: jobID}, nil
}

// singleReceipt reads the answer of an endpoint for one record, whose refusal
// is that record's fate.
func (a *Account) singleReceipt(ctx context.Context, e migration.Entity, p destination.Parcel, ans *answer, err error) (destination.Receipt, error) {
	if err == nil {
		return a.createdReceipt(e, p, ans)
	}
	kind := destination.KindOf(err)
	if ans == nil || kind != destination.Refused && kind != destination.TooLarge {
		return destination.Receipt{}, err
	}
	failed := failedItem(p.Sent[0], readProblem(ans.body), ans.status)
	items, err := a.alreadyThere(ctx, "", e, []migration.Item{failed}, bodyKeys(e, p.Body, a.prefix))
	if err != nil {
		return destination.Receipt{}, lookupFailed(opImport(e), err)
	}
	return destination.Receipt{Items: items}, nil
}

// lookupFailed is the error of a refused single record whose namesake could
// not be looked for: the refusal is proven, so it may be sent again.
func lookupFailed(op string, err error) error {
	failure := &destination.Error{Op: op + ": look for the record that has its name", Kind: destination.Temporary, Code: "look-up", Err: err}
	var d *destination.Error
	if errors.As(err, &d) {
		failure.Code, failure.RetryAfter = d.Code, d.RetryAfter
	}
	return failure
}

func (a *Account) createdReceipt(e migration.Entity, p destination.Parcel, ans *answer) (destination.Receipt, error) {
	var created map[string]json.RawMessage
	var record listed
	for _, word := range []string{"ticket", "user", "organization"} {
		if json.Unmarshal(ans.body, &created) == nil && created[word] != nil {
			_ = json.Unmarshal(created[word], &record) // without an id the batch is in doubt, below
		}
	}
	if !record.ID.positive() {
		return destination.Receipt{}, &destination.Error{
			Op: opImport(e), Kind: destination.InDoubt, Code: "no id in the answer", Err: statusError(ans, problem{}),
		}
	}
	items := []migration.Item{{SourceID: p.Sent[0], Outcome: migration.Created, TargetID: string(record.ID)}}
	a.recent.remember(e, items, bodyKeys(e, p.Body, a.prefix))
	return destination.Receipt{Items: items}, nil
}

// failedItem is the outcome of a record that was refused.
func failedItem(sourceID string, p problem, status int) migration.Item {
	item := migration.Item{SourceID: sourceID, Outcome: migration.Failed, Code: p.code(status), Text: p.text}
	for _, field := range slices.Sorted(maps.Keys(p.details)) {
		raw := p.details[field]
		var details []struct {
			Description string `json:"description"`
			Error       string `json:"error"` // null when a required field is missing
		}
		if json.Unmarshal(raw, &details) == nil && len(details) > 0 {
			item.Text = details[0].Description
			item.Code = codeOr(details[0].Error, item.Code)
			continue
		}
		var text string
		if json.Unmarshal(raw, &text) == nil && text != "" {
			item.Text = text
		}
	}
	if item.Text == "" {
		item.Text = "refused with status " + strconv.Itoa(status)
	}
	return item
}

// codeOr keeps a stable name and drops anything else.
func codeOr(name, otherwise string) string {
	if stableName.MatchString(name) {
		return name
	}
	return otherwise
}
