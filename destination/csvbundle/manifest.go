package csvbundle

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"farewell/destination"
	"farewell/migration"
)

const (
	manifestName = "manifest.json"
	readmeName   = "README.txt"

	// manifestFormat tells our folders from others'. Readers refuse a format
	// that they do not know.
	manifestFormat = "farewell-csv-bundle/1"
)

// manifest is manifest.json: what a bundle holds, and how to check it without
// us. Its content depends on the records only, so that the same records give
// the same bytes.
type manifest struct {
	Format    string              `json:"format"`
	Migration migration.Migration `json:"migration"`
	AsOf      time.Time           `json:"as_of"` // the source's clock when the plan was made; later records may be in it
	Files     []manifestFile      `json:"files"`
	Parts     []manifestPart      `json:"parts"`
}

// manifestFile is one CSV file.
type manifestFile struct {
	Name    string   `json:"name"`
	Columns []string `json:"columns"`
	Rows    int64    `json:"rows"` // records, without the header row
	digest
}

// manifestPart is one part, in the order in which the files hold them.
type manifestPart struct {
	Partition string              `json:"partition"`
	Pass      int                 `json:"pass"`
	After     string              `json:"after,omitempty"`
	UpTo      string              `json:"up_to,omitempty"`
	Files     map[string]partFile `json:"files"` // by view
}

// fileViews lists the views that have a file, in the order in which a reader
// with foreign keys wants them.
func fileViews() []string {
	return []string{"organizations", "users", "tickets", "comments", "attachments"}
}

func fileName(view string) string { return view + ".csv" }

// rows are the manifest's row counts by view.
func (m *manifest) rows() map[string]int64 {
	rows := make(map[string]int64, len(m.Files))
	for _, view := range fileViews() {
		for _, f := range m.Files {
			if f.Name == fileName(view) {
				rows[view] = f.Rows
			}
		}
	}
	return rows
}

// errForeign is a folder that we did not make.
var errForeign = errors.New("the folder is no bundle of ours")

// readManifest reads the manifest of a bundle's folder. Without one the error
// is fs.ErrNotExist; one that we did not write is errForeign.
func readManifest(folder string) (*manifest, error) {
	path := filepath.Join(folder, manifestName)
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var m manifest
	if err := json.Unmarshal(content, &m); err != nil {
		return nil, fmt.Errorf("%w: read %s: %w", errForeign, path, err)
	}
	if m.Format != manifestFormat {
		return nil, fmt.Errorf("%w: %s has the format %q, not %q", errForeign, path, m.Format, manifestFormat)
	}
	return &m, nil
}

// published is the manifest of the bundle that is published, nil if there is
// none. A bundle that was moved away by a publishing that was cut short still
// counts. A folder in the way that is not ours is a destination.Error.
func (b *Bundle) published() (*manifest, error) {
	folder, err := b.publishedFolder()
	if err == nil && folder == "" {
		return nil, nil
	}
	var m *manifest
	if err == nil {
		m, err = readManifest(folder)
	}
	if isAny(err, syscall.ENOENT, syscall.ENOTDIR) || errors.Is(err, errForeign) {
		return nil, misconfigured("read bundle "+b.target(), fmt.Errorf("%w: %w", errForeign, err),
			"move it away, or change the account's name or url in the accounts file")
	}
	return m, err
}

// publishedFolder is where the published bundle lies, "" if there is none. An
// empty folder under its name is nothing.
func (b *Bundle) publishedFolder() (string, error) {
	entries, err := os.ReadDir(b.target())
	if err == nil && len(entries) > 0 {
		return b.target(), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	replaced, err := namesWithPrefix(b.root, b.replacedPrefix())
	if err != nil {
		return "", err
	}
	for _, name := range replaced {
		folder := filepath.Join(b.root, name)
		if _, err := readManifest(folder); err == nil {
			return folder, nil
		}
	}
	return "", nil
}

// intact tells whether the files have the sizes that the manifest says. What
// is in them is for a check that reads all of it.
func (m *manifest) intact(folder string) bool {
	for _, f := range m.Files {
		info, err := os.Stat(filepath.Join(folder, f.Name))
		if err != nil || info.Size() != f.Bytes {
			return false
		}
	}
	return true
}

func (p manifestPart) ref() destination.PartRef {
	return destination.PartRef{Partition: p.Partition, Pass: p.Pass}
}

// part is the part of that name in the bundle, nil if there is none.
func (m *manifest) part(ref destination.PartRef) *manifestPart {
	for i := range m.Parts {
		if m.Parts[i].ref() == ref {
			return &m.Parts[i]
		}
	}
	return nil
}
