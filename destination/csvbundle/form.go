package csvbundle

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
)

// form is how a bundle's files are written. It is a setting of the account,
// the same for all its runs.
type form struct {
	Zip   bool `json:"zip,omitempty"`   // the whole bundle in one Zip64 file
	Gzip  bool `json:"gzip,omitempty"`  // each table's files compressed
	Raw   bool `json:"raw,omitempty"`   // no formula guard
	Excel bool `json:"excel,omitempty"` // each table's files begin with a byte order mark
}

// ofParts is what of the form the bytes of a part depend on.
func (f form) ofParts() form { return form{Gzip: f.Gzip, Raw: f.Raw, Excel: f.Excel} }

// sourceID is an id as the source has it, given the form that the files have.
func (f form) sourceID(id string) string {
	if f.Raw {
		return id
	}
	return unguard(id)
}

// suffix ends the names of a table's files.
func (f form) suffix() string {
	if f.Gzip {
		return ".csv.gz"
	}
	return ".csv"
}

// place is where an account's url says that the bundle goes.
type place struct {
	folder string // an absolute path; empty: bucket is set
	bucket string // a url of an object store, with what it needs to be reached
	prefix string // within the bucket, without slashes at its ends
	form   form
}

// keyPrefix is what all keys in the bucket begin with.
func (p place) keyPrefix() string {
	if p.prefix == "" {
		return ""
	}
	return p.prefix + "/"
}

// parsePlace reads an account's url: an absolute path, a file:// or an s3://
// URL. The URLs' query may say format=zip, compress=gzip, raw=true and
// excel=true; for a bucket the rest of the query goes to the store.
func parsePlace(raw string) (place, error) {
	if filepath.IsAbs(raw) {
		return place{folder: filepath.Clean(raw)}, nil
	}
	u, err := url.Parse(raw)
	if err != nil {
		return place{}, fmt.Errorf("parse url: %w", err)
	}
	var p place
	query := u.Query()
	if p.form, err = takeForm(query); err != nil {
		return p, err
	}
	switch {
	case u.Scheme == "s3" && u.Host != "":
		p.prefix = strings.Trim(u.Path, "/")
		p.bucket = (&url.URL{Scheme: u.Scheme, Host: u.Host, RawQuery: query.Encode()}).String()
		return p, nil
	case u.Scheme != "file":
		return p, fmt.Errorf("the url %q is neither an absolute path nor a file:// or s3:// URL", raw)
	case len(query) > 0:
		return p, fmt.Errorf("the url's query says %q, which is no option of a folder", query.Encode())
	case u.Host != "" && u.Host != "localhost":
		return p, fmt.Errorf("the url names another machine, %q: a path needs three slashes, file:///path", u.Host)
	case !filepath.IsAbs(u.Path):
		return p, fmt.Errorf("the url %q is no absolute path", raw)
	}
	p.folder = filepath.Clean(u.Path)
	return p, nil
}

// takeForm takes the options of the form out of a query.
func takeForm(query url.Values) (f form, err error) {
	take := func(name string, allowed ...string) (taken bool) {
		value := query.Get(name)
		known := !query.Has(name)
		for _, a := range allowed {
			known = known || value == a
		}
		if !known && err == nil {
			err = fmt.Errorf("the url says %s=%s: it may only say %s", name, value, strings.Join(allowed, " or "))
		}
		query.Del(name)
		return value != "" && value == allowed[0]
	}
	f.Zip = take("format", "zip", "folder")
	f.Gzip = take("compress", "gzip", "none")
	f.Raw = take("raw", "true", "false")
	f.Excel = take("excel", "true", "false")
	if err == nil && f.Zip && f.Gzip {
		err = errors.New("the url says format=zip and compress=gzip: a zip file is compressed already, so leave one of them out")
	}
	return f, err
}
