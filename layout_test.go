package farewell

import (
	"bytes"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

// room is a folder of Go code and what it may import besides the standard
// library. A pattern that ends in /... stands for that path and all below it.
type room struct {
	folder string // a pattern as for path.Match
	uses   []string
	// not are packages of the standard library that would break the room's promise.
	not []string
	// tests are what test files may import besides; every test may also import
	// the room itself, its own <name>test room and integration/postgrestest.
	tests []string
}

var (
	pgx      = "github.com/jackc/pgx/v5/..."
	temporal = "go.temporal.io/sdk/..."

	// undetermined gives another answer when a workflow is replayed.
	undetermined = []string{
		"context", "crypto/rand", "database/sql", "io/ioutil", "log", "log/slog", "math/rand", "math/rand/v2",
		"net", "net/http", "os", "os/exec", "os/signal", "sync", "sync/atomic", "syscall",
	}
	outsideWorld = []string{"database/sql", "net", "net/http", "os", "os/exec"}
)

// rooms is a statement of policy, not a record of what happens to be: change a
// row only with the reason for it. The first row that matches a folder counts.
var rooms = []room{
	{folder: "."},

	{folder: "migration", not: outsideWorld},

	// The mapping file's form, and the one YAML library: what the file means is
	// said here once for all who apply it. jsonschema holds the schema for
	// editors against what the parser takes.
	{folder: "mapping",
		uses:  []string{"farewell/migration", "go.yaml.in/yaml/v3"},
		not:   []string{"database/sql", "net", "net/http", "os/exec"},
		tests: []string{"github.com/santhosh-tekuri/jsonschema/v6"}},

	{folder: "workflows",
		uses:  []string{"farewell/migration", "go.temporal.io/sdk/workflow", "go.temporal.io/sdk/temporal", "go.temporal.io/sdk/log", "go.temporal.io/api/enums/v1"},
		not:   undetermined,
		tests: []string{temporal, "go.temporal.io/api/...", "github.com/stretchr/testify/mock"}},

	// source and ledger for the types and errors in the interfaces that the
	// activities declare; what SQL and HTTP look like stays behind those.
	{folder: "activities",
		uses: []string{
			"farewell/migration", "farewell/mapping", "farewell/source", "farewell/ledger", "farewell/destination", "farewell/telemetry",
			"go.temporal.io/sdk/activity", "go.temporal.io/sdk/temporal", "go.temporal.io/sdk/log", "golang.org/x/sync/errgroup",
		},
		not:   []string{"database/sql", "net", "net/http", "os", "os/exec"},
		tests: []string{temporal, "farewell/workflows", "github.com/stretchr/testify/mock", "farewell/destination/zendesk/...", "go.uber.org/goleak"}},

	{folder: "source",
		uses:  []string{"farewell/migration", "farewell/telemetry", pgx},
		tests: []string{"farewell/sandbox/samplecrm"}},

	// source for the bytes that the customers' database itself keeps.
	{folder: "attachment",
		uses:  []string{"farewell/migration", "farewell/destination", "farewell/source", "gocloud.dev/..."},
		tests: []string{"github.com/johannesboyne/gofakes3/...", pgx}},

	{folder: "ledger",
		uses:  []string{"farewell/migration", "farewell/telemetry", pgx, "github.com/jackc/tern/v2/migrate"},
		tests: []string{"pgregory.net/rapid"}},

	{folder: "destination", uses: []string{"farewell/migration", "farewell/mapping"}, not: outsideWorld},

	{folder: "destination/destinationtest", uses: []string{"farewell/migration", "farewell/destination"}},

	// A stand-in that shared a type with the product would share its mistakes.
	{folder: "destination/*/*test"},

	// gocloud.dev reaches object stores, and what it has no word for, abandoned
	// uploads, AWS's own client does; compress is four times as fast as the
	// standard library's, which keeps compressed bundles at the source's speed.
	{folder: "destination/csvbundle",
		uses:  []string{"farewell/migration", "farewell/destination", "gocloud.dev/...", "github.com/aws/aws-sdk-go-v2/service/s3", "github.com/klauspost/compress/..."},
		tests: []string{"farewell/destination/destinationtest", pgx, "github.com/johannesboyne/gofakes3/..."}}, // COPY FROM reads the bundles back

	{folder: "destination/zendesk",
		uses:  []string{"farewell/migration", "farewell/mapping", "farewell/destination", "golang.org/x/time/rate"},
		tests: []string{"farewell/destination/destinationtest"}},

	// A destination that is not listed above needs no more than the contract.
	{folder: "destination/*",
		uses:  []string{"farewell/migration", "farewell/destination"},
		tests: []string{"farewell/destination/destinationtest"}},

	{folder: "config", uses: []string{
		"farewell/migration", "farewell/destination",
		"go.temporal.io/sdk/client", "go.temporal.io/sdk/contrib/envconfig",
	}},

	{folder: "telemetry", uses: []string{"farewell/migration", "go.temporal.io/sdk/log", "go.temporal.io/sdk/client"}},

	{folder: "worker", uses: []string{
		"farewell/migration", "farewell/mapping", "farewell/workflows", "farewell/activities", "farewell/source", "farewell/ledger",
		"farewell/attachment", "farewell/destination/...", "farewell/config", "farewell/telemetry",
		temporal, "go.temporal.io/api/...", pgx, "golang.org/x/time/rate",
	}},

	// It speaks to the workflows through Temporal and does nothing itself.
	{folder: "starter", uses: []string{
		"farewell/migration", "farewell/mapping", "farewell/workflows", "farewell/source", "farewell/ledger",
		"farewell/destination/...", "farewell/config", "farewell/telemetry",
		temporal, "go.temporal.io/api/...", pgx, "github.com/spf13/cobra", "github.com/vbauerster/mpb/v8/...",
		"google.golang.org/protobuf/...",
	}},

	// migration for the names of the destinations only.
	{folder: "sandbox",
		uses: []string{
			"farewell/migration", "farewell/destination/zendesk/zendesktest", "farewell/sandbox/samplecrm",
			"github.com/spf13/cobra", pgx,
		},
		tests: []string{"farewell/config"}},

	{folder: "sandbox/samplecrm",
		uses:  []string{"farewell/migration", "github.com/brianvoe/gofakeit/v7/...", pgx},
		tests: []string{"farewell/source"}},

	// What tests and long runs share, and none of them.
	{folder: "integration/database", uses: []string{pgx}},
	{folder: "integration/figures"},
	{folder: "integration/postgrestest", uses: []string{"farewell/integration/database"}},
	{folder: "integration/programs", uses: []string{"farewell/integration/database"}},

	// They see everything at work, and compare it with what they read themselves.
	{folder: "integration", uses: everything, tests: []string{"github.com/johannesboyne/gofakes3/..."}},
	// A judge that used anything of ours would share its mistakes.
	{folder: "integration/chaos/judge", uses: []string{pgx}},
	{folder: "integration/roundtrip/judge"},
	{folder: "integration/roundtrip/corpus", uses: []string{"farewell/integration/roundtrip/judge"}},
	{folder: "integration/*", uses: everything},
}

var everything = []string{
	"farewell/...", temporal, "go.temporal.io/api/...", pgx, "github.com/spf13/cobra",
	"google.golang.org/protobuf/...", "google.golang.org/grpc/...", "golang.org/x/sync/errgroup",
}

// otherFolders hold no Go code of this module.
var otherFolders = []string{"bin", "deploy", "docs", "tools"}

func TestEveryFolderIsKnownAndImportsOnlyWhatItMay(t *testing.T) {
	t.Parallel()
	for _, v := range violations(t, os.DirFS(".")) {
		t.Error(v)
	}
}

func TestBothMapsShowEveryRoom(t *testing.T) {
	t.Parallel()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, plan := range []string{"README.md", "doc.go"} {
		text, err := os.ReadFile(plan)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if room := e.Name() + "/"; e.IsDir() && !isNotOurs(e.Name()) && !bytes.Contains(text, []byte(room)) {
				t.Errorf("%s does not show %s", plan, room)
			}
		}
	}
}

func TestLayoutNamesViolations(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, file, imports string
		want                string // part of the only violation, empty for none
	}{
		{"a folder that nobody knows", "util/util.go", "fmt", "util: unknown folder"},
		{"an unknown folder without Go code", "misc/notes.txt", "", "misc: unknown folder"},
		{"an unknown folder inside a room", "ledger/common/common.go", "fmt", "ledger/common: unknown folder"},
		{"data inside a room", "ledger/schema/001.sql", "", ""},
		{"hidden folders are tools' own", ".idea/idea.go", "", ""},
		{"a module of its own", "tools/devenv/main.go", "github.com/jackc/pgx/v5", ""},
		{"the vocabulary stays plain", "migration/x.go", "github.com/jackc/pgx/v5", "migration/x.go imports github.com/jackc/pgx/v5"},
		{"a workflow that reads the environment", "workflows/x.go", "os", "workflows/x.go imports os"},
		{"a workflow's test may", "workflows/x_test.go", "os", ""},
		{"an activity with SQL of its own", "activities/x.go", "github.com/jackc/pgx/v5", "activities/x.go imports github.com/jackc/pgx/v5"},
		{"a part of a module that is allowed", "source/x.go", "github.com/jackc/pgx/v5/pgxpool", ""},
		{"production code with a stand-in", "destination/zendesk/x.go", "farewell/destination/zendesk/zendesktest", "imports farewell/destination/zendesk/zendesktest"},
		{"a judge that knows the product", "integration/chaos/judge/x.go", "farewell/migration", "imports farewell/migration"},
		{"a test with its stand-in", "destination/zendesk/x_test.go", "farewell/destination/zendesk/zendesktest", ""},
		{"a stand-in with the product's types", "destination/zendesk/zendesktest/x.go", "farewell/migration", "imports farewell/migration"},
		{"a new destination", "destination/freshdesk/x.go", "farewell/destination", ""},
		{"a destination that knows another", "destination/csvbundle/x.go", "farewell/destination/zendesk", "imports farewell/destination/zendesk"},
		{"the starter does nothing itself", "starter/x.go", "farewell/activities", "starter/x.go imports farewell/activities"},
		{"a library that nobody decided on", "worker/x.go", "github.com/google/uuid", "worker/x.go imports github.com/google/uuid"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			source := "package x\n"
			if row.imports != "" {
				source += "import _ " + strconv.Quote(row.imports) + "\n"
			}
			got := violations(t, fstest.MapFS{row.file: {Data: []byte(source)}})
			if row.want == "" && len(got) != 0 {
				t.Errorf("found %q, want nothing", got)
			}
			if row.want != "" && (len(got) != 1 || !strings.Contains(got[0], row.want)) {
				t.Errorf("found %q, want one that says %q", got, row.want)
			}
		})
	}
}

// violations reads the tree in this process: a list from another program would
// leave the test green in Go's test cache when a file changes.
func violations(t *testing.T, tree fs.FS) []string {
	t.Helper()
	var found []string
	err := fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			if isNotOurs(name) {
				return fs.SkipDir
			}
			found = append(found, unknownFolder(t, tree, name)...)
			return nil
		case strings.HasSuffix(name, ".go"):
			bad, err := forbiddenImports(tree, name)
			found = append(found, bad...)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// isNotOurs says whether a folder is outside the policy.
func isNotOurs(folder string) bool {
	hidden := strings.HasPrefix(path.Base(folder), ".") && folder != "."
	return hidden || path.Base(folder) == "testdata" || slices.Contains(otherFolders, folder)
}

// unknownFolder allows folders of data inside a room; at the top, and where Go
// code is, each folder needs a row.
func unknownFolder(t *testing.T, tree fs.FS, folder string) []string {
	t.Helper()
	if _, known := roomOf(folder); known {
		return nil
	}
	code, err := fs.Glob(tree, folder+"/*.go")
	if err != nil {
		t.Fatal(err)
	}
	if len(code) == 0 && strings.Contains(folder, "/") {
		return nil
	}
	return []string{folder + ": unknown folder; the map of rooms in README.md says where its code belongs, the table in layout_test.go which folders there are"}
}

func roomOf(folder string) (room, bool) {
	for _, r := range rooms {
		if ok, err := path.Match(r.folder, folder); ok && err == nil {
			return r, true
		}
	}
	return room{}, false
}

func forbiddenImports(tree fs.FS, name string) ([]string, error) {
	r, known := roomOf(path.Dir(name))
	if !known {
		return nil, nil // the folder itself is reported
	}
	source, err := fs.ReadFile(tree, name)
	if err != nil {
		return nil, err
	}
	file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	var bad []string
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		if !r.mayImport(imported, name) {
			bad = append(bad, fmt.Sprintf("%s imports %s, which %s may not: see the table in layout_test.go", name, imported, path.Dir(name)))
		}
	}
	return bad, nil
}

func (r room) mayImport(imported, file string) bool {
	isTest := strings.HasSuffix(file, "_test.go")
	if isStandard(imported) {
		return isTest || !slices.Contains(r.not, imported)
	}
	allowed := r.uses
	if isTest {
		own := path.Join("farewell", path.Dir(file))
		allowed = slices.Concat(r.uses, r.tests, []string{own, own + "/" + path.Base(own) + "test", "farewell/integration/postgrestest"})
	}
	return slices.ContainsFunc(allowed, func(pattern string) bool {
		below, isTree := strings.CutSuffix(pattern, "/...")
		return imported == below || (isTree && strings.HasPrefix(imported, below+"/"))
	})
}

// isStandard holds since the first element of every other module's path has a
// dot, except for our own.
func isStandard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(first, ".") && first != "farewell"
}
