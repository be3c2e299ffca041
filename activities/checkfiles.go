package activities

import (
	"context"
	"fmt"
	"strings"

	"farewell/migration"
)

// OverrideMissingFiles is the word by which an operator goes on without the
// attachments that the configuration does not allow to fetch.
const OverrideMissingFiles = "missing-files"

// checkFiles counts the customer's attachments, and names the places from which
// they cannot be fetched: a ticket that is there cannot get its files later.
func (a *Activities) checkFiles(ctx context.Context, in migration.PreflightInput, out *migration.CheckOutcome) error {
	toZendesk := in.Migration.Destination == migration.DestinationZendesk
	shows, err := a.Source.ShowsFiles(ctx)
	if err != nil {
		return fmt.Errorf("ask where attachments are: %w", err)
	}
	if !shows && !toZendesk {
		out.Findings = append(out.Findings, migration.CheckFinding{
			Name: "attachments", OK: true, Text: "the view says of no file where it is: the bundle has their rows and no files",
		})
		return nil
	}
	places, err := a.Source.FilePlaces(ctx, in.Migration.Customer)
	if err != nil {
		return fmt.Errorf("count attachments: %w", err)
	}
	var files, bytes, beyond int64
	var closed []string
	for _, p := range places {
		files, bytes = files+p.Files, bytes+p.Bytes
		if !a.Files.Reaches(p) {
			beyond += p.Files
			closed = append(closed, fmt.Sprintf("%d %s", p.Files, placeName(p)))
		}
	}
	finding := migration.CheckFinding{
		Name: "attachments", OK: beyond == 0, Fatal: true,
		Text: fmt.Sprintf("%d files of %.1f MB", files, float64(bytes)/1e6),
	}
	without := "each listed in errors.csv"
	if toZendesk {
		finding.Text += "; each is a request"
		without = "each named in a note at its ticket"
		out.Requests += files - beyond
	}
	if beyond > 0 {
		finding.Override = OverrideMissingFiles
		finding.Text += fmt.Sprintf("; %d cannot be fetched: %s", beyond, strings.Join(closed, ", "))
		finding.Fix = "name their origins in FAREWELL_ATTACHMENT_ORIGINS, their bucket in FAREWELL_ATTACHMENT_BUCKET (docs/attachments.md); or go on without them, " + without
	}
	out.Findings = append(out.Findings, overridden(in.Options, finding))
	return nil
}

// placeName is a place in words.
func placeName(p migration.FilePlace) string {
	switch {
	case p.Kind == migration.FileInBucket:
		return "in a bucket"
	case p.Kind == migration.FileAtURL && p.Origin != "":
		return "at " + p.Origin
	case p.Kind == migration.FileAtURL:
		return "at addresses that are none"
	}
	return "without a place"
}
