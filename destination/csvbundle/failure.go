package csvbundle

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"

	"gocloud.dev/gcerrors"

	"farewell/destination"
)

// failure translates an error of the file system. A file that is half written
// counts for nothing until it is renamed, so no kind here is in doubt.
func (b *Bundle) failure(op string, err error) error {
	var already *destination.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &already):
		return err
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s: %w", op, err)
	case isAny(err, syscall.ENOSPC, syscall.EDQUOT):
		return &destination.Error{Op: op, Kind: destination.Temporary, Code: "disk full", Err: err,
			Fix: "make room on the file system of " + b.vault.where() + "; it goes on by itself then"}
	case isAny(err, syscall.EACCES, syscall.EPERM, syscall.EROFS):
		return &destination.Error{Op: op, Kind: destination.Misconfigured, Code: "not writable", Err: err,
			Fix: "let the worker's user write to " + b.vault.where() + ", or change the column url of the accounts file"}
	case gcerrors.Code(err) == gcerrors.PermissionDenied:
		return &destination.Error{Op: op, Kind: destination.Misconfigured, Code: "not writable", Err: err,
			Fix: "let the worker's AWS credentials read, write, list and delete under " + b.vault.where()}
	case isAny(err, syscall.ENOTDIR, syscall.EISDIR, syscall.ELOOP, syscall.ENAMETOOLONG):
		return &destination.Error{Op: op, Kind: destination.Misconfigured, Code: "not a folder", Err: err,
			Fix: "move what is in the way, or change the column url of the accounts file"}
	}
	return &destination.Error{Op: op, Kind: destination.Temporary, Code: "input/output", Err: inShort(err),
		Fix: "if it stays, look at the store of " + b.vault.where()}
}

// storeFailure is what an object store answered, or why it did not, in few
// words: around it are three layers of clients, each of which says what it was
// doing, and a status line has no room for that.
type storeFailure struct {
	text  string
	whole error
}

func (f storeFailure) Error() string { return f.text }
func (f storeFailure) Unwrap() error { return f.whole }

func inShort(err error) error {
	var answer interface {
		ErrorCode() string
		ErrorMessage() string
	}
	var unreached *net.OpError
	switch {
	case errors.As(err, &answer):
		return storeFailure{"the store answers " + answer.ErrorCode() + ": " + answer.ErrorMessage(), err}
	case errors.As(err, &unreached):
		return storeFailure{"the store cannot be reached: " + unreached.Error(), err}
	}
	return err
}

// isForeign tells whether what stands in a bundle's place is something else.
func isForeign(err error) bool {
	return errors.Is(err, errForeign) || errors.Is(err, errManyRoots) || errors.Is(err, zip.ErrFormat) ||
		isAny(err, syscall.ENOTDIR, syscall.EISDIR)
}

func isAny(err error, errnos ...syscall.Errno) bool {
	for _, errno := range errnos {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

func misconfigured(op string, err error, fix string) error {
	return &destination.Error{Op: op, Kind: destination.Misconfigured, Code: "settings", Err: err, Fix: fix}
}

func refused(op, code string, err error, fix string) error {
	return &destination.Error{Op: op, Kind: destination.Refused, Code: code, Err: err, Fix: fix}
}
