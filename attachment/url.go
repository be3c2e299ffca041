package attachment

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"farewell/destination"
	"farewell/migration"
)

const (
	dialTimeout      = 5 * time.Second
	handshakeTimeout = 5 * time.Second
	idleTimeout      = 30 * time.Second
	// mostRedirects is how many hops a file may be away: a store that signs its
	// URLs takes one.
	mostRedirects = 5
)

// parseOrigin is scheme, host and port of an address, spelt in one way only.
func parseOrigin(text string) (string, error) {
	u, err := url.Parse(strings.TrimSuffix(strings.TrimSpace(text), "/"))
	if err != nil || u.Host == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || !isHTTP(u) {
		return "", fmt.Errorf("%q is no origin: it must look like https://files.example.com, or https://files.example.com:8443", text)
	}
	return originOf(u), nil
}

func isHTTP(u *url.URL) bool { return u.Scheme == "http" || u.Scheme == "https" } // url.Parse writes schemes in lower case

func originOf(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return u.Scheme + "://" + net.JoinHostPort(strings.TrimSuffix(strings.ToLower(u.Hostname()), "."), port)
}

// allowed refuses every address outside the configured origins.
func (s *Store) allowed(u *url.URL) error {
	if isHTTP(u) && u.User == nil && s.origins[originOf(u)] {
		return nil
	}
	return &destination.FileError{Code: migration.FileOriginNotAllowed, Text: "FAREWELL_ATTACHMENT_ORIGINS does not name " + u.Scheme + "://" + u.Hostname()}
}

// newClient makes the client for files: each hop of a redirect is an address
// like the first, no proxy is asked, and bytes come as they are kept.
func (s *Store) newClient() *http.Client {
	dialer := &net.Dialer{Timeout: dialTimeout, Control: refuseLocalLinks}
	return &http.Client{
		Transport: &http.Transport{
			DialContext:            dialer.DialContext,
			TLSHandshakeTimeout:    handshakeTimeout,
			IdleConnTimeout:        idleTimeout,
			MaxIdleConnsPerHost:    mostOpen,
			MaxResponseHeaderBytes: 64 << 10,
			DisableCompression:     true,
			ForceAttemptHTTP2:      true,
		},
		CheckRedirect: func(next *http.Request, before []*http.Request) error {
			next.Header.Del("Referer") // the address may be signed
			if len(before) > mostRedirects {
				return errTooFar
			}
			return s.allowed(next.URL)
		},
	}
}

var errTooFar = fmt.Errorf("it is more than %d redirects away", mostRedirects)

// refuseLocalLinks keeps an allowed name from leading to the machine's own
// surroundings, such as a cloud's metadata service: no file server has such an
// address.
func refuseLocalLinks(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if ip := at.Addr().Unmap(); ip.IsLinkLocalUnicast() || ip.IsMulticast() || ip.IsUnspecified() {
		return &destination.FileError{Code: migration.FileOriginNotAllowed, Text: "its host has an address that is no file server's"}
	}
	return nil
}

func (s *Store) openURL(ctx context.Context, a migration.Attachment, o *opened) error {
	u, err := url.Parse(a.URL)
	if err != nil {
		return &destination.FileError{Code: migration.FileNotFound, Text: "its URL cannot be read"} // the parse error would quote it
	}
	if err := s.allowed(u); err != nil {
		return err
	}
	o.place = originOf(u)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return &destination.FileError{Code: migration.FileNotFound, Text: "its URL cannot be used"}
	}
	req.Header.Set("User-Agent", "farewell")
	req.Header.Set("Accept-Encoding", "identity")
	res, err := s.http.Do(req) //nolint:bodyclose // it becomes the file, which its receiver closes
	if err != nil {
		return withoutURL(err)
	}
	o.from, o.size = res.Body, res.ContentLength
	o.framed = res.ProtoMajor > 1 || res.ContentLength >= 0 || slices.Contains(res.TransferEncoding, "chunked")
	return answered(res)
}

// answered judges a file server's answer.
func answered(res *http.Response) error {
	failure := &destination.FileError{Code: migration.FileUnavailable, Text: fmt.Sprintf("the file server answers %d", res.StatusCode)}
	switch {
	case res.StatusCode == http.StatusOK && strings.EqualFold(res.Header.Get("Content-Encoding"), "identity"), res.StatusCode == http.StatusOK && res.Header.Get("Content-Encoding") == "":
		return nil
	case res.StatusCode == http.StatusOK:
		failure.Code, failure.Text = migration.FileDiffers, "the file server packs it ("+res.Header.Get("Content-Encoding")+"), unasked"
	case res.StatusCode == http.StatusNotFound, res.StatusCode == http.StatusGone:
		failure.Code = migration.FileNotFound
	case res.StatusCode >= 500, res.StatusCode == http.StatusTooManyRequests, res.StatusCode == http.StatusRequestTimeout, res.StatusCode == http.StatusTooEarly:
		failure.Passing = true
	}
	return failure
}

// withoutURL strips the address off an error: it may be signed.
func withoutURL(err error) error {
	if errors.Is(err, errTooFar) {
		return &destination.FileError{Code: migration.FileUnavailable, Text: errTooFar.Error()}
	}
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
