package activities

import (
	"context"
	"errors"

	"go.temporal.io/sdk/temporal"

	"farewell/destination"
	"farewell/ledger"
	"farewell/source"
)

// failure turns an error of ours into one of Temporal's: what trying again
// cannot heal is marked, and a wait that the destination asked for is kept.
func failure(err error) error {
	var d *destination.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, ledger.ErrFenced):
		// Another attempt has taken over. Failing here is right, since nobody
		// waits for this attempt any more; if somebody does, trying again
		// takes over in turn.
		return temporal.NewApplicationErrorWithOptions(err.Error(), "Fenced", temporal.ApplicationErrorOptions{
			Category: temporal.ApplicationErrorCategoryBenign,
		})
	case errors.As(err, &d):
		return temporal.NewApplicationErrorWithOptions(err.Error(), string(d.Kind), temporal.ApplicationErrorOptions{
			NonRetryable:   d.Kind == destination.Credentials || d.Kind == destination.Misconfigured,
			NextRetryDelay: d.RetryAfter,
		})
	case source.Permanent(err):
		return temporal.NewNonRetryableApplicationError(err.Error(), "SourceRefused", nil)
	}
	return temporal.NewApplicationError(err.Error(), "Temporary")
}
