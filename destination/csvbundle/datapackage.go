package csvbundle

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"

	"farewell/migration"
)

// dataPackageProfile is the version of the standard that a bundle keeps to:
// https://datapackage.org/standard/data-package/.
const dataPackageProfile = "https://datapackage.org/profiles/2.0/datapackage.json"

// packageFile is datapackage.json. Names with x- are ours, as the standard
// allows.
type packageFile struct {
	Schema       string     `json:"$schema"`
	Name         string     `json:"name"`
	Title        string     `json:"title"`
	Created      time.Time  `json:"created"`
	Resources    []resource `json:"resources"`
	AsOf         time.Time  `json:"x-asOf"`
	Null         string     `json:"x-null"`
	Guard        string     `json:"x-formulaGuard"`
	GuardText    string     `json:"x-formulaGuardReversal,omitempty"`
	Compression  string     `json:"x-compression,omitempty"`
	HeaderInEach string     `json:"x-parts"`
}

type resource struct {
	Name        string           `json:"name"`
	Description string           `json:"description"`
	Type        string           `json:"type"`
	Path        any              `json:"path"` // a name, or a list of names
	Format      string           `json:"format"`
	MediaType   string           `json:"mediatype"`
	Encoding    string           `json:"encoding"`
	Bytes       int64            `json:"bytes"`
	Hash        string           `json:"hash,omitempty"` // of a single file
	Dialect     dialect          `json:"dialect"`
	Schema      tableSchema      `json:"schema"`
	RowCount    int64            `json:"rowCount"`
	Files       []resourceFile   `json:"x-files"`
	Guarded     map[string]int64 `json:"x-guardedCells,omitempty"`
}

// resourceFile is what bytes, hash and rowCount say of each single file.
type resourceFile struct {
	Path     string `json:"path"`
	Bytes    int64  `json:"bytes"`
	Hash     string `json:"hash"`
	RowCount int64  `json:"rowCount"`
}

type dialect struct {
	Header         bool   `json:"header"`
	Delimiter      string `json:"delimiter"`
	LineTerminator string `json:"lineTerminator"`
	QuoteChar      string `json:"quoteChar"`
	DoubleQuote    bool   `json:"doubleQuote"`
}

type tableSchema struct {
	Fields        []field      `json:"fields"`
	MissingValues []string     `json:"missingValues"`
	PrimaryKey    []string     `json:"primaryKey,omitempty"`
	ForeignKeys   []foreignKey `json:"foreignKeys,omitempty"`
}

type field struct {
	Name   string `json:"name"`
	Type   string `json:"type"`
	Format string `json:"format,omitempty"`
}

type foreignKey struct {
	Fields    []string  `json:"fields"`
	Reference reference `json:"reference"`
}

type reference struct {
	Resource string   `json:"resource"`
	Fields   []string `json:"fields"`
}

func ourDialect() dialect {
	return dialect{Header: true, Delimiter: ",", LineTerminator: "\n", QuoteChar: `"`, DoubleQuote: true}
}

const (
	nullRule    = "an empty cell without quotes is NULL, a cell with two quotes and nothing in it is the empty text, as PostgreSQL's COPY writes them"
	guardRule   = "in columns of type string, an apostrophe was put before a text that is any number of apostrophes and then one of = + - @ tab CR LF; to undo it, take one apostrophe away from a text that begins with apostrophes and then one of these"
	partsRule   = "each file of a table begins with the header row"
	guardAbsent = "none"
)

// dataPackage is the content of datapackage.json.
func dataPackage(r *record, errors digest, faults int) (string, error) {
	p := packageFile{
		Schema: dataPackageProfile, Name: packageSlug(r.Migration.Account), Title: "Help desk records of " + r.Migration.Customer,
		Created: r.AsOf, AsOf: r.AsOf, Null: nullRule, Guard: guardName, GuardText: guardRule, HeaderInEach: partsRule,
	}
	if r.Form.Raw {
		p.Guard, p.GuardText = guardAbsent, ""
	}
	if r.Form.Gzip {
		p.Compression = "gzip"
	}
	for _, t := range r.Tables {
		p.Resources = append(p.Resources, tableResource(t))
	}
	p.Resources = append(p.Resources, tableResource(recordedTable{
		Name: "errors", Columns: faultColumns(), Rows: int64(faults),
		Files: []tableFile{{Path: errorsName, Rows: int64(faults), digest: errors}},
	}))
	return indented(p)
}

func tableResource(t recordedTable) resource {
	known, ok := tableNamed(t.Name)
	if !ok {
		known.about = "records of which the bundle has nothing but the id, and why"
	}
	res := resource{
		Name: t.Name, Description: known.about, Type: "table", Format: "csv", MediaType: "text/csv", Encoding: "utf-8",
		Dialect: ourDialect(), RowCount: t.Rows, Guarded: t.Guarded,
		Schema: tableSchema{MissingValues: []string{""}, PrimaryKey: known.key},
	}
	var paths []string
	for _, f := range t.Files {
		path := strings.TrimPrefix(f.Path, dataFolder+"/")
		paths = append(paths, path)
		res.Bytes += f.Bytes
		res.Files = append(res.Files, resourceFile{Path: path, Bytes: f.Bytes, Hash: "sha256:" + f.SHA256, RowCount: f.Rows})
	}
	res.Path = paths
	if len(paths) == 1 {
		res.Path, res.Hash = paths[0], res.Files[0].Hash
	}
	for _, c := range t.Columns {
		res.Schema.Fields = append(res.Schema.Fields, fieldOf(c))
	}
	for _, c := range t.Columns {
		if other := known.foreign[c.Name]; other != "" {
			res.Schema.ForeignKeys = append(res.Schema.ForeignKeys, foreignKey{[]string{c.Name}, reference{other, []string{"id"}}})
		}
	}
	return res
}

func fieldOf(c migration.Column) field {
	if c.Type == migration.ColumnUUID {
		return field{Name: c.Name, Type: "string", Format: "uuid"}
	}
	return field{Name: c.Name, Type: string(c.Type)}
}

var notInSlugs = regexp.MustCompile(`[^a-z0-9._-]+`)

// packageSlug is a name as the standard wants it.
func packageSlug(account string) string {
	slug := strings.Trim(notInSlugs.ReplaceAllString(strings.ToLower(account), "-"), "-")
	if slug == "" {
		return "bundle"
	}
	return slug
}

func indented(v any) (string, error) {
	text, err := json.MarshalIndent(v, "", "  ")
	return string(text) + "\n", err
}

// column is the type that a field of a data package stands for.
func (f field) column() (migration.Column, bool) {
	c := migration.Column{Name: f.Name, Type: migration.ColumnType(f.Type)}
	if f.Format == "uuid" {
		c.Type = migration.ColumnUUID
	}
	known := slices.Contains([]migration.ColumnType{
		migration.ColumnString, migration.ColumnUUID, migration.ColumnInteger, migration.ColumnBoolean,
		migration.ColumnDatetime, migration.ColumnArray, migration.ColumnObject,
	}, c.Type)
	return c, known
}
