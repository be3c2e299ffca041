package zendesk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"farewell/destination"
)

// mostHops is how many redirects a file may be away: Zendesk takes one, to an
// address that it signs.
const mostHops = 3

const opDownload = "download an attachment"

var (
	errNoFile = errors.New("there is no such file to be had")
	errStill  = errors.New("the transfer stood still")
	errNobody = errors.New("the host has an address that is nobody's on the internet")
)

// download reads a file of the account for its sum; its bytes are not kept.
//
// Its address comes from an answer and may be anybody's, so credentials go to
// the account's own address alone
// (https://developer.zendesk.com/documentation/api-basics/best-practices/working-with-url-properties/).
// The answer there may be a redirect to an address that is signed for a while
// and wants none.
type download struct {
	*Account
	limit int64  // bytes that are enough to know that it differs
	moved func() // called when bytes have come; may be nil

	size   int64
	sha256 string
}

// run reads the file. errNoFile: it is refused, or gone.
func (d *download) run(ctx context.Context, address string) error {
	at, err := d.own(address)
	for hop := 0; err == nil && hop <= mostHops; hop++ {
		var next string
		if next, err = d.read(ctx, at); err != nil || next == "" {
			return err
		}
		at, err = at.Parse(next)
	}
	return errNoFile
}

// own is the file's address at the account as we call it: the account itself
// names its files by its canonical host, which may be another.
func (d *download) own(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, errNoFile
	}
	const files = "/attachments/"
	if _, path, ok := strings.Cut(u.EscapedPath(), files); ok {
		return url.Parse(d.base + files + path + "?" + u.RawQuery)
	}
	return u, nil
}

// read takes one hop: the file is read, or next is where it is.
func (d *download) read(ctx context.Context, at *url.URL) (next string, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	sum := func(from io.Reader) error { return d.sum(from, cancel) }
	if path, ok := strings.CutPrefix(at.Scheme+"://"+at.Host+at.EscapedPath(), d.base+"/"); ok {
		next, err = d.readOwn(ctx, "/"+path, at.Query(), sum)
	} else {
		next, err = d.readElsewhere(ctx, at, sum)
	}
	if errors.Is(context.Cause(ctx), errStill) {
		err = temporaryDownload(errStill)
	}
	return next, err
}

func (d *download) readOwn(ctx context.Context, path string, query url.Values, read func(io.Reader) error) (next string, err error) {
	ans, err := d.repeatFor(ctx, call{
		op: opDownload, method: http.MethodGet, path: path, query: query, file: true, limit: d.limit + 1, within: d.timings.FileWithin,
	}, read)
	for _, status := range []int{http.StatusForbidden, http.StatusNotFound, http.StatusGone, http.StatusUnprocessableEntity} {
		if is(err, status) && destination.KindOf(err) != destination.Blocked {
			return "", errNoFile
		}
	}
	if err != nil {
		return "", err
	}
	return ans.location(), nil
}

// readElsewhere reads from an address that the account's answer gave.
func (d *download) readElsewhere(ctx context.Context, at *url.URL, read func(io.Reader) error) (next string, err error) {
	if at.Scheme != "https" && !strings.HasPrefix(d.base, at.Scheme+"://") {
		return "", errNoFile
	}
	ctx, cancel := context.WithTimeout(ctx, d.timings.FileWithin)
	defer cancel()
	pause := retryPause
	for try := 1; ; try++ {
		if err := d.exit.depart(ctx, d.Account); err != nil {
			return "", err
		}
		next, err := d.tryElsewhere(ctx, at, read)
		if err == nil || errors.Is(err, errNoFile) || try == maxTries {
			return next, err
		}
		if err := sleep(ctx, jitter(pause)); err != nil {
			return "", err
		}
		pause *= 2
	}
}

func (d *download) tryElsewhere(ctx context.Context, at *url.URL, read func(io.Reader) error) (next string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return "", errNoFile
	}
	req.Header.Set("Accept-Encoding", "identity")
	req.Header.Set("User-Agent", "farewell")
	res, err := d.http.Do(req)
	switch {
	case errors.Is(err, errNobody):
		return "", errNoFile
	case err != nil:
		return "", temporaryDownload(withoutURL(err))
	}
	defer func() { _ = res.Body.Close() }() // only read
	ans := &answer{status: res.StatusCode, header: res.Header}
	switch {
	case ans.redirects():
		return ans.location(), nil
	case ans.good():
		if err := read(io.LimitReader(res.Body, d.limit+1)); err != nil {
			return "", temporaryDownload(err)
		}
		return "", nil
	case ans.status >= http.StatusInternalServerError, ans.status == http.StatusTooManyRequests:
		return "", temporaryDownload(statusError(ans, problem{}))
	}
	return "", errNoFile
}

func temporaryDownload(err error) error {
	return &destination.Error{Op: opDownload, Kind: destination.Temporary, Code: transportCode(err), Err: err}
}

// sum reads the file from its beginning, and ends a transfer that stands still.
func (d *download) sum(from io.Reader, cancel context.CancelCauseFunc) error {
	still := time.AfterFunc(d.timings.FileStill, func() { cancel(errStill) })
	defer still.Stop()
	hash := sha256.New()
	n, err := io.Copy(hash, readerFunc(func(p []byte) (int, error) {
		n, err := from.Read(p)
		still.Reset(d.timings.FileStill)
		if n > 0 && d.moved != nil {
			d.moved()
		}
		return n, err
	}))
	if err != nil {
		return fmt.Errorf("its transfer broke off after %d bytes: %w", n, err)
	}
	d.size, d.sha256 = n, hex.EncodeToString(hash.Sum(nil))
	return nil
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// redirects tells whether the answer names another address.
func (ans *answer) redirects() bool {
	return ans.status >= 300 && ans.status < 400 && ans.location() != ""
}

func (ans *answer) location() string {
	if ans.good() {
		return ""
	}
	return ans.header.Get("Location")
}

// guardSocket keeps a name in an answer from leading to the machine's own
// surroundings, such as a cloud's metadata service, where no account and none
// of its files is.
func guardSocket(network, address string, raw syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if ip := at.Addr().Unmap(); ip.IsLinkLocalUnicast() || ip.IsMulticast() || ip.IsUnspecified() {
		return errNobody
	}
	return limitUnacknowledged(network, address, raw)
}
