package zendesk

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"farewell/destination"
	"farewell/migration"
)

// checkBulkUsers finds out whether Zendesk has enabled bulk user import for the
// account, which it has not by default. It asks for the creation of nobody,
// which is refused either way: with 403 where it is off
// (https://developer.zendesk.com/api-reference/ticketing/users/users/#create-many-users).
// Should an account look at the list before the permission, the first batch
// finds out.
func (a *Account) checkBulkUsers(ctx context.Context, in destination.PreflightInput) (destination.Check, error) {
	if err := a.pace.wait(ctx); err != nil {
		return destination.Check{}, err
	}
	_, path := endpoint(migration.Users, false)
	ans, err := a.post(ctx, call{op: "ask for bulk user import", method: http.MethodPost, path: path, body: []byte(`{"users":[]}`), form: "application/json"})
	switch kind := destination.KindOf(err); {
	case ans != nil && ans.status == http.StatusForbidden && kind == destination.Credentials:
		a.bulkUsersOff.Store(true)
		return a.usersOneByOne(in.Rows[migration.Users]), nil
	case err == nil, kind == destination.Refused, kind == destination.TooLarge:
		a.bulkUsersOff.Store(false)
		return destination.Check{Name: "bulk_users", OK: true, Text: "users may be brought in bulk"}, nil
	case kind == destination.InDoubt, kind == destination.Temporary:
		return destination.Check{Name: "bulk_users", OK: true, Text: "whether users may be brought in bulk shows with their first batch"}, nil
	}
	return destination.Check{}, err
}

// usersOneByOne says what it costs that users go one by one.
func (a *Account) usersOneByOne(users int64) destination.Check {
	cost := ""
	if users > 0 {
		minutes := float64(users) / float64(a.pace.share())
		cost = fmt.Sprintf(": %d users, each in a request of its own, take at least %s", users, hours(minutes))
	}
	return destination.Check{
		Name: "bulk_users", Text: "the account has bulk user import switched off, so users go one by one" + cost,
		Fix: `to be faster, let the account's owner ask Zendesk Customer Support: "Please enable bulk user imports (users/create_many) for our account"; then start again`,
	}
}

// hours is a duration in words, given in minutes.
func hours(minutes float64) string {
	if minutes < 60 {
		return fmt.Sprintf("%.0f minutes", max(1, minutes))
	}
	return fmt.Sprintf("%.1f hours", (time.Duration(minutes * float64(time.Minute))).Hours())
}
