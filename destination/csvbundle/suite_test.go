package csvbundle

import (
	"context"
	"testing"

	"farewell/destination/destinationtest"
	"farewell/migration"
)

func TestBundleKeepsTheContractOfStreams(t *testing.T) {
	t.Parallel()
	for name, query := range map[string]string{
		"folder": "", "zip": "?format=zip", "gzip": "?compress=gzip", "raw": "?raw=true", "excel": "?excel=true",
		"zip for excel, raw": "?format=zip&excel=true&raw=true",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			destinationtest.RunStreams(t, func(t *testing.T) destinationtest.Bundle {
				b := openAt(t, "file://"+t.TempDir()+query)
				t.Cleanup(func() {
					if published, err := b.vault.published(context.Background()); err == nil {
						_ = published.Close() // it was only read
						wantValid(t, files(b).where())
					}
				})
				return destinationtest.Bundle{Destination: b, Migration: acme, Columns: textColumns()}
			})
		})
	}
}

// textColumns are columns as the suite wants them: no foreign keys, all text.
func textColumns() (all map[string][]migration.Column) {
	all = map[string][]migration.Column{}
	for view := range columns() {
		all[view] = []migration.Column{{Name: "id", Type: "string"}, {Name: "note", Type: "string"}, {Name: "body", Type: "string"}}
	}
	all["comments"][0].Name = "number" // the suite writes each id twice
	return all
}
