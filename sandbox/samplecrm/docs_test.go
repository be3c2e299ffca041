package samplecrm

import (
	"os"
	"strings"
	"testing"
)

func TestTheDocumentedViewsAreTheSamplesViews(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/source-views.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), "```sql\n"+viewsSQL+"```\n") {
		t.Error("docs/source-views.md shows other views than views.sql")
	}
}
