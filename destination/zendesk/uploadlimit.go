package zendesk

import (
	"context"
	"sync"

	"farewell/destination"
)

// uploadLimit is the size of the largest file that the account takes, asked for
// once (https://developer.zendesk.com/api-reference/ticketing/account-configuration/account_settings/).
type uploadLimit struct {
	a     *Account
	mu    sync.Mutex // held while asking
	bytes int64      // 0: not asked yet
}

func (l *uploadLimit) get(ctx context.Context) (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.bytes > 0 {
		return l.bytes, nil
	}
	var answer struct {
		Settings struct {
			Limits struct {
				AttachmentSize int64 `json:"attachment_size"`
			} `json:"limits"`
		} `json:"settings"`
	}
	err := l.a.get(ctx, "ask for the account's limits", "/api/v2/account/settings", nil, decodeInto(&answer))
	switch kind := destination.KindOf(err); {
	case kind == destination.Credentials, kind == destination.Misconfigured, kind == destination.Refused:
		// It does not say, and it may take files all the same.
	case err != nil:
		return 0, err
	}
	l.bytes = answer.Settings.Limits.AttachmentSize
	if l.bytes <= 0 {
		l.bytes = assumedUploadLimit
	}
	return l.bytes, nil
}
