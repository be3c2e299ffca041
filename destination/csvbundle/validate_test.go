package csvbundle

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// wantValid checks a bundle by what manifest.json says, with plain JSON and
// another CSV reader than ours.
func wantValid(t testing.TB, folder string) {
	t.Helper()
	var m struct {
		Files []struct {
			Name    string
			Columns []string
			Rows    int
			Bytes   int
			SHA256  string `json:"sha256"`
		}
	}
	text, err := os.ReadFile(filepath.Join(folder, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	if len(m.Files) != 5 {
		t.Fatalf("the manifest lists %d files", len(m.Files))
	}
	for _, f := range m.Files {
		text, err := os.ReadFile(filepath.Join(folder, f.Name))
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(text)
		if hex.EncodeToString(sum[:]) != f.SHA256 || len(text) != f.Bytes {
			t.Errorf("%s is not what the manifest says", f.Name)
		}
		records, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
		if err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
		if len(records) != f.Rows+1 {
			t.Errorf("%s has %d records, the manifest says %d and the header", f.Name, len(records), f.Rows)
		}
	}
}
