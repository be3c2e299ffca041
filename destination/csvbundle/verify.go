package csvbundle

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Verified is what a look at a whole bundle has found.
type Verified struct {
	Rows     map[string]int64 // by table, as counted
	Files    int              // of the payload
	Bytes    int64            // of the payload
	Problems []Problem        // none: the bundle is complete and valid
}

// Problem is one thing that is wrong with a bundle.
type Problem struct {
	File string // within the bag; empty: the bag as a whole
	Row  int64  // the record's number, 1 for the first after the header; 0: the file as a whole
	Text string // without the content of a cell, except ids
}

func (p Problem) String() string {
	where := p.File
	if p.Row > 0 {
		where += fmt.Sprintf(", row %d", p.Row)
	}
	if where == "" {
		return p.Text
	}
	return where + ": " + p.Text
}

// mostProblems ends the list: whoever has so many needs a new copy, not more.
const mostProblems = 100

// Verify reads every byte of the bundle at path, a folder or a zip file, and
// checks it against its own description: hashes, sizes, the format of every
// cell, row counts, keys and foreign keys. It needs nothing but the bundle. An
// error means that it could not look.
func Verify(ctx context.Context, path string) (Verified, error) {
	bag, err := openBag(path)
	var broken *Problem
	if errors.As(err, &broken) {
		return Verified{Problems: []Problem{*broken}}, nil
	}
	if err != nil {
		return Verified{}, err
	}
	defer bag.Close()
	return verifyBag(ctx, bag)
}

func (p *Problem) Error() string { return p.String() }

// openBag opens what lies at the path. A zip file that cannot be read is a
// *Problem.
func openBag(path string) (bag, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return folderBag{os.DirFS(path)}, nil
	}
	opened, err := openZip(path)
	if err != nil {
		var cannot *fs.PathError
		if errors.As(err, &cannot) {
			return nil, err
		}
		return nil, &Problem{Text: fmt.Sprintf("the zip file is cut short or damaged: %v", err)}
	}
	return opened, nil
}

// verifier looks at one bag.
type verifier struct {
	ctx context.Context
	bag fs.FS
	out Verified

	listed map[string]string // payload file → SHA-256, by the manifest
	tags   map[string]string
	seen   map[string]int64 // every file that is there → bytes read
	sums   map[string]string
	keys   map[string]idSet // table → its keys
	space  []byte           // for reading
}

func verifyBag(ctx context.Context, bag fs.FS) (Verified, error) {
	v := &verifier{ctx: ctx, bag: bag, seen: map[string]int64{}, sums: map[string]string{}, keys: map[string]idSet{}, space: make([]byte, bufferSize)}
	v.out.Rows = map[string]int64{}
	if v.declared() {
		if err := v.fixity(); err != nil {
			return v.out, err
		}
		v.payload()
		if err := v.tables(); err != nil {
			return v.out, err
		}
	}
	if len(v.out.Problems) > mostProblems {
		rest := len(v.out.Problems) - mostProblems
		v.out.Problems = append(v.out.Problems[:mostProblems], Problem{Text: fmt.Sprintf("and %d more", rest)})
	}
	return v.out, nil
}

func (v *verifier) problem(file string, row int64, format string, args ...any) {
	v.out.Problems = append(v.out.Problems, Problem{file, row, fmt.Sprintf(format, args...)})
}

// declared tells whether there is a bag at all.
func (v *verifier) declared() bool {
	text, err := fs.ReadFile(v.bag, declarationName)
	if err != nil {
		v.problem(declarationName, 0, "missing: this is no bundle, or not all of one")
		return false
	}
	if string(text) != declaration {
		v.problem(declarationName, 0, "it does not declare BagIt 1.0 in UTF-8")
	}
	if v.listed, err = v.readManifest(manifestName); err != nil {
		v.problem(manifestName, 0, "missing or unreadable: the bundle is incomplete, it was never finished: %v", err)
		return false
	}
	if v.tags, err = v.readManifest(tagManifestName); err != nil {
		v.problem(tagManifestName, 0, "missing or unreadable: %v", err)
	}
	return true
}

// readManifest reads lines of a SHA-256 and a path, RFC 8493 section 2.1.3.
func (v *verifier) readManifest(name string) (map[string]string, error) {
	f, err := v.bag.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	sums := map[string]string{}
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		sum, path, ok := strings.Cut(lines.Text(), " ")
		path = strings.TrimLeft(path, " \t*")
		if !ok || len(sum) != 64 || !fs.ValidPath(path) {
			return nil, fmt.Errorf("line %d is not a SHA-256 and a path", n)
		}
		if _, twice := sums[path]; twice {
			return nil, fmt.Errorf("line %d names %s a second time", n, path)
		}
		sums[path] = strings.ToLower(sum)
	}
	return sums, lines.Err()
}

// fixity reads every file that is there and compares it with the manifests.
func (v *verifier) fixity() error {
	err := fs.WalkDir(v.bag, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if err := v.ctx.Err(); err != nil {
			return err
		}
		v.file(name)
		return nil
	})
	if err != nil {
		return fmt.Errorf("list the files of the bundle: %w", err)
	}
	for _, list := range []struct {
		name string
		sums map[string]string
	}{{manifestName, v.listed}, {tagManifestName, v.tags}} {
		for _, name := range slices.Sorted(maps.Keys(list.sums)) {
			if _, there := v.seen[name]; !there {
				v.problem(name, 0, "missing: %s lists it", list.name)
			}
		}
	}
	return nil
}

// file hashes one file and compares it.
func (v *verifier) file(name string) {
	want, listed := v.tags[name]
	by := tagManifestName
	if isPayload(name) {
		want, listed = v.listed[name]
		by = manifestName
	}
	d, err := v.hash(name)
	v.seen[name], v.sums[name] = d.Bytes, d.SHA256
	switch {
	case err != nil:
		v.problem(name, 0, "it cannot be read to its end: %v", err)
	case name == tagManifestName:
		// Nothing lists it.
	case !listed:
		v.problem(name, 0, "extra: %s does not list it", by)
	case want != d.SHA256:
		v.problem(name, 0, "its content is not what was published: the SHA-256 differs from %s", by)
	}
}

func (v *verifier) hash(name string) (digest, error) {
	f, err := v.bag.Open(name)
	if err != nil {
		return digest{}, err
	}
	defer func() { _ = f.Close() }() // only read
	h := newHashing(io.Discard)
	_, err = io.CopyBuffer(h, reading{v.ctx, f}, v.space)
	return h.digest(), err
}

// payload compares the payload's size with bag-info.txt.
func (v *verifier) payload() {
	for name, n := range v.seen {
		if isPayload(name) {
			v.out.Files++
			v.out.Bytes += n
		}
	}
	text, err := fs.ReadFile(v.bag, infoName)
	if err != nil {
		v.problem(infoName, 0, "missing")
		return
	}
	for line := range strings.Lines(string(text)) {
		value, ok := strings.CutPrefix(line, "Payload-Oxum:")
		if !ok {
			continue
		}
		if got := fmt.Sprintf("%d.%d", v.out.Bytes, v.out.Files); strings.TrimSpace(value) != got {
			v.problem(infoName, 0, "Payload-Oxum says %s (bytes.files), there are %s", strings.TrimSpace(value), got)
		}
		return
	}
	v.problem(infoName, 0, "it says no Payload-Oxum")
}

// tables checks what the data package says of each.
func (v *verifier) tables() error {
	text, err := fs.ReadFile(v.bag, packageName)
	if err != nil {
		v.problem(packageName, 0, "missing: without it, nobody knows what the columns hold")
		return nil //nolint:nilerr // a finding, not a failure of the check
	}
	var p packageFile
	if err := json.Unmarshal(text, &p); err != nil {
		v.problem(packageName, 0, "it is no JSON of a data package: %v", err)
		return nil
	}
	described := map[string]bool{packageName: true}
	for _, r := range p.Resources {
		for _, f := range r.Files {
			described[dataFolder+"/"+f.Path] = true
		}
		if err := v.table(r, p.Guard == guardName); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(v.listed)) {
		if !described[name] && !isAttachment(name) {
			v.problem(name, 0, "extra: %s does not describe it", packageName)
		}
	}
	for _, r := range p.Resources {
		if err := v.foreignKeys(r); err != nil {
			return err
		}
	}
	return v.attachments(p.Resources)
}

// table reads all files of one resource.
func (v *verifier) table(r resource, guarded bool) error {
	keys := idSet{}
	v.keys[r.Name] = keys
	var rows int64
	for _, f := range r.Files {
		name := dataFolder + "/" + f.Path
		if n, there := v.seen[name]; !there || n != f.Bytes || "sha256:"+v.sums[name] != f.Hash {
			v.problem(name, 0, "its size or SHA-256 is not what %s says", packageName)
		}
		n, err := v.rows(r, name, guarded, keys)
		if err != nil {
			return err
		}
		if n != f.RowCount {
			v.problem(name, 0, "it has %d rows, %s says %d", n, packageName, f.RowCount)
		}
		rows += n
	}
	v.out.Rows[r.Name] = rows
	if rows != r.RowCount {
		v.problem(packageName, 0, "the files of %s have %d rows together, it says %d", r.Name, rows, r.RowCount)
	}
	return nil
}

// each calls do for every record of a file after the header. A file that is
// not there, or that cannot be read to its end, is a problem.
func (v *verifier) each(r resource, name string, do func(row int64, record []cell)) (n int64, err error) {
	text, err := openText(v.bag, name)
	if err != nil {
		if _, there := v.seen[name]; there {
			v.problem(name, 0, "it cannot be opened: %v", err)
		}
		return 0, nil
	}
	defer text.Close()
	rows := newReader(reading{v.ctx, text})
	header, err := rows.read()
	if err != nil {
		v.problem(name, 0, "it has no header row: %v", err)
		return 0, v.ctx.Err()
	}
	if problem := headerProblem(header, r.Schema.Fields); problem != "" {
		v.problem(name, 0, "%s", problem)
		return 0, nil
	}
	for {
		record, err := rows.read()
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if v.ctx.Err() != nil {
			return n, v.ctx.Err()
		}
		if err != nil {
			v.problem(name, n+1, "it cannot be read: %v", err)
			return n, nil
		}
		n++
		do(n, record)
	}
}

func headerProblem(header []cell, fields []field) string {
	if len(header) > 0 {
		header[0].text = strings.TrimPrefix(header[0].text, "\ufeff")
	}
	same := slices.EqualFunc(header, fields, func(c cell, f field) bool { return c.text == f.Name })
	if !same {
		return "its header row is not the columns that " + packageName + " says"
	}
	return ""
}

// rows checks the cells and the key of every record.
func (v *verifier) rows(r resource, name string, guarded bool, keys idSet) (int64, error) {
	positions := fieldPositions(r.Schema.Fields, r.Schema.PrimaryKey)
	var checks []cellCheck
	for _, f := range r.Schema.Fields {
		c, known := f.column()
		if !known {
			v.problem(packageName, 0, "the type %q of %s.%s is none that a bundle has", f.Type, r.Name, f.Name)
		}
		checks = append(checks, cellCheckOf(c, guarded))
	}
	return v.each(r, name, func(row int64, record []cell) {
		if len(record) != len(checks) {
			v.problem(name, row, "it has %d cells, the header has %d", len(record), len(checks))
			return
		}
		for i, c := range record {
			if !c.null && !checks[i](c.text) {
				v.problem(name, row, "the cell in column %s is not of type %s", r.Schema.Fields[i].Name, r.Schema.Fields[i].Type)
			}
		}
		if len(positions) == 0 {
			return
		}
		key, null := keyOf(record, positions)
		if null {
			v.problem(name, row, "its key %s is empty", strings.Join(r.Schema.PrimaryKey, ", "))
		} else if !keys.add(key) {
			v.problem(name, row, "its key %s is there a second time", describeKey(record, positions))
		}
	})
}

func fieldPositions(fields []field, names []string) []int {
	var positions []int
	for _, name := range names {
		if i := slices.IndexFunc(fields, func(f field) bool { return f.Name == name }); i >= 0 {
			positions = append(positions, i)
		}
	}
	return positions
}

func keyOf(record []cell, positions []int) (key string, null bool) {
	if len(positions) == 1 {
		return record[positions[0]].text, record[positions[0]].null
	}
	var b strings.Builder
	for _, i := range positions {
		null = null || record[i].null
		b.WriteString(strconv.Quote(record[i].text))
	}
	return b.String(), null
}

func describeKey(record []cell, positions []int) string {
	var ids []string
	for _, i := range positions {
		ids = append(ids, strconv.Quote(record[i].text))
	}
	return strings.Join(ids, ", ")
}

// foreignKeys reads the table again: those that it refers to are known by now.
func (v *verifier) foreignKeys(r resource) error {
	if len(r.Schema.ForeignKeys) == 0 {
		return nil
	}
	for _, f := range r.Files {
		name := dataFolder + "/" + f.Path
		if _, there := v.seen[name]; !there {
			continue
		}
		before := len(v.out.Problems)
		_, err := v.each(r, name, func(row int64, record []cell) {
			for _, k := range r.Schema.ForeignKeys {
				positions := fieldPositions(r.Schema.Fields, k.Fields)
				if len(positions) != 1 || positions[0] >= len(record) {
					continue
				}
				c := record[positions[0]]
				if !c.null && !v.keys[k.Reference.Resource].has(c.text) {
					v.problem(name, row, "%s names %s %q, which is not in the bundle", k.Fields[0], k.Reference.Resource, c.text)
				}
			}
		})
		v.out.Problems = withoutRepeats(v.out.Problems, before)
		if err != nil {
			return err
		}
	}
	return nil
}

// withoutRepeats drops the problems from a place on that were found before: the
// second reading of a damaged file finds them again.
func withoutRepeats(problems []Problem, from int) []Problem {
	kept := problems[:from:from]
	for _, p := range problems[from:] {
		if !slices.Contains(problems[:from], p) {
			kept = append(kept, p)
		}
	}
	return kept
}
