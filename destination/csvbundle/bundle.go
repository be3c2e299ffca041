// Package csvbundle publishes a customer's records as a folder of CSV files
// with a manifest: the destination for who has no other one, and for archives.
//
// For an account "acme" whose URL is /srv/bundles:
//
//	/srv/bundles/acme/                    the published bundle: five CSV files, README.txt, manifest.json
//	/srv/bundles/.acme.parts/             the parts, one per partition and pass
//	/srv/bundles/.acme.publishing-1a2b…/  a bundle in the making
//	/srv/bundles/.acme.replaced-1a2b…/    the bundle that a newer one is about to replace
//
// A folder without manifest.json is not a bundle. All of it lies on one file
// system, since publishing is a rename.
//
// The parts stay after publishing, so that a later run's catch-up adds a part
// and nothing is read from the source again; they take as much space as the
// bundle. Once no further run is wanted, they can be deleted by hand.
package csvbundle

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"sync"

	"farewell/destination"
	"farewell/migration"
)

// Options are what a bundle is opened with.
type Options struct {
	// Account names the bundle's folder (Name) and the folder above it (URL:
	// an absolute path, or a file:// URL). It needs no secret.
	Account destination.Account

	// Columns are the names of the columns of a view's CSV, in the order in
	// which the source writes them. They become the header rows.
	Columns func(view string) []string
}

// Bundle is the CSV destination of one account. It implements
// destination.Streams and is safe for concurrent use, also by several
// processes on one machine.
type Bundle struct {
	account string
	root    string
	columns func(view string) []string
	disk    disk

	publishing sync.Mutex
}

var _ destination.Streams = (*Bundle)(nil)

// longestName leaves room for our affixes in the 255 bytes that file systems
// allow for a name.
const longestName = 200

// Open checks the account's settings. It touches no file: folders that do not
// exist are made when the first part is written.
func Open(o Options) (*Bundle, error) {
	if o.Columns == nil {
		return nil, errors.New("open CSV bundle: Options.Columns is missing: pass the source's column names")
	}
	root, err := folder(o.Account.URL)
	if err != nil {
		return nil, misconfigured("open CSV bundle of account "+o.Account.Name, err,
			"put an absolute path or a file:// URL into the column url of the accounts file")
	}
	if err := plainName(o.Account.Name); err != nil {
		return nil, misconfigured("open CSV bundle of account "+o.Account.Name, err,
			"rename the account in the accounts file: its name becomes a folder's name")
	}
	return &Bundle{account: o.Account.Name, root: root, columns: o.Columns, disk: realDisk{}}, nil
}

// folder is the absolute path that an account's URL stands for.
func folder(raw string) (string, error) {
	path := raw
	if strings.HasPrefix(raw, "file:") {
		u, err := url.Parse(raw)
		if err != nil {
			return "", fmt.Errorf("parse url: %w", err)
		}
		if u.Host != "" && u.Host != "localhost" {
			return "", fmt.Errorf("the url names another machine, %q: a path needs three slashes, file:///path", u.Host)
		}
		path = u.Path
	}
	if !filepath.IsAbs(path) {
		return "", fmt.Errorf("the url %q is no absolute path", raw)
	}
	return filepath.Clean(path), nil
}

func plainName(name string) error {
	switch {
	case name == "":
		return errors.New("the account has no name")
	case strings.HasPrefix(name, "."):
		return errors.New("the name begins with a dot")
	case strings.ContainsAny(name, "/\\\x00"):
		return errors.New("the name contains a path separator")
	case len(name) > longestName:
		return fmt.Errorf("the name is longer than %d bytes", longestName)
	}
	return nil
}

// WaitingFor is always the zero Reason: files have no quota that we wait for.
func (b *Bundle) WaitingFor() migration.Reason { return migration.Reason{} }

// Close ends nothing: between calls, a Bundle holds nothing open.
func (b *Bundle) Close() error { return nil }

// target is the folder of the published bundle.
func (b *Bundle) target() string { return filepath.Join(b.root, b.account) }

// staging is the folder of the parts.
func (b *Bundle) staging() string { return filepath.Join(b.root, "."+b.account+".parts") }

// publishingPrefix and replacedPrefix begin the names of the folders that
// exist only while a bundle is being published.
func (b *Bundle) publishingPrefix() string { return "." + b.account + ".publishing-" }
func (b *Bundle) replacedPrefix() string   { return "." + b.account + ".replaced-" }
