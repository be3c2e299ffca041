// Package csvbundle publishes a customer's records as a bag of CSV files: BagIt
// (RFC 8493) outside, a Frictionless Data Package inside. It is the destination
// for who has no other one, and for archives.
//
// For an account "acme" whose URL is /srv/bundles:
//
//	/srv/bundles/acme/                    the published bundle, see docs/csv-bundle.md
//	/srv/bundles/.acme.parts/             the parts, one per partition and pass
//	/srv/bundles/.acme.publishing-1a2b…/  a bundle in the making
//	/srv/bundles/.acme.replaced-1a2b…/    the bundle that a newer one is about to replace
//
// A folder without a manifest is not a bundle. All of it lies on one file
// system, since publishing is a rename. In an object store the same names begin
// objects' keys, and the manifest is the last one to be written.
//
// The parts stay after publishing, so that a later run's catch-up adds a part
// and nothing is read from the source again. Once no further run is wanted, they
// can be deleted by hand.
package csvbundle

import (
	"errors"
	"fmt"
	"strings"

	"farewell/destination"
	"farewell/migration"
)

// Options are what a bundle is opened with.
type Options struct {
	// Account names the bundle (Name) and the place above it (URL, see
	// parsePlace). It needs no secret.
	Account destination.Account
}

// Bundle is the CSV destination of one account. It implements
// destination.Streams and is safe for concurrent use, also by several
// processes on one machine.
type Bundle struct {
	account string
	form    form
	vault   vault
	gzips   gzips
}

var _ destination.Streams = (*Bundle)(nil)

// longestName leaves room for our affixes in the 255 bytes that file systems
// allow for a name.
const longestName = 200

// Open checks the account's settings. It touches no file: folders that do not
// exist are made when the first part is written.
func Open(o Options) (*Bundle, error) {
	op := "open CSV bundle of account " + o.Account.Name
	p, err := parsePlace(o.Account.URL)
	if err != nil {
		return nil, misconfigured(op, err, "correct the column url of the accounts file: an absolute path, or file:///path?format=zip")
	}
	if err := plainName(o.Account.Name); err != nil {
		return nil, misconfigured(op, err, "rename the account in the accounts file: its name becomes a folder's name")
	}
	b := &Bundle{account: o.Account.Name, form: p.form}
	if p.bucket != "" {
		b.vault = &bucket{url: p.bucket, prefix: p.keyPrefix(), account: o.Account.Name, zip: p.form.Zip}
		return b, nil
	}
	b.vault = &folder{root: p.folder, account: o.Account.Name, zip: p.form.Zip, disk: realDisk{}}
	return b, nil
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

// Close ends the connections to an object store.
func (b *Bundle) Close() error { return b.vault.close() }
