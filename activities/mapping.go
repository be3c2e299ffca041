package activities

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"farewell/mapping"
	"farewell/migration"
)

// problemsShown is how many problems of a mapping are reported at once.
const problemsShown = 20

// checkMapping reads the mapping file and reports what is wrong with it on its
// own; nil means that there is none, or none that can be used. With a run, the
// mapping is that run's from now on.
func (a *Activities) checkMapping(ctx context.Context, in migration.PreflightInput, usable bool, out *migration.CheckOutcome) (*mapping.Mapping, error) {
	m, strangers, err := a.Mappings.Of(in.Migration.Customer)
	for _, p := range strangers {
		out.Findings = append(out.Findings, mappingFinding(p, false))
	}
	if err != nil {
		out.Findings = append(out.Findings, unusable(err)...)
		return nil, nil // a file that cannot be used is a finding
	}
	switch isZendesk := in.Migration.Destination == migration.DestinationZendesk; {
	case m != nil && !isZendesk:
		out.Findings = append(out.Findings, migration.CheckFinding{Name: "mapping", OK: true, Text: "the mapping file does not apply: a bundle shows what the views show"})
		return nil, nil
	case m == nil && isZendesk && usable:
		if err := a.checkUnmapped(ctx, out); err != nil {
			return nil, err
		}
	}
	if err := a.compareMapping(ctx, in, m, out); err != nil || m == nil || in.Run == "" {
		return m, err
	}
	return a.keepMapping(ctx, in, m)
}

// checkUnmapped names the columns that only a mapping file can bring: the
// account's groups, agents and brands are not the source's.
func (a *Activities) checkUnmapped(ctx context.Context, out *migration.CheckOutcome) error {
	columns, err := a.Source.Columns(ctx)
	if err != nil {
		return fmt.Errorf("ask for the columns of the views: %w", err)
	}
	var shown []string
	for _, c := range columns[string(migration.Tickets)] {
		switch c.Name {
		case "assignee_id", "group_name", "brand_name":
			shown = append(shown, c.Name)
		}
	}
	if len(shown) > 0 {
		out.Findings = append(out.Findings, migration.CheckFinding{
			Name: "mapping", Text: "the view tickets shows " + strings.Join(shown, ", ") + ", which stay behind without a mapping file",
			Fix: "set FAREWELL_MAPPING for the workers; a file of one line, version: 1, brings those whose names the account has",
		})
	}
	return nil
}

// keepMapping makes the mapping the run's. When an earlier attempt did so with
// another version of the file, that one holds.
func (a *Activities) keepMapping(ctx context.Context, in migration.PreflightInput, m *mapping.Mapping) (*mapping.Mapping, error) {
	content, err := m.Encode()
	if err != nil {
		return nil, err
	}
	inForce, err := a.Ledger.KeepMapping(ctx, in.Migration, in.Run, m.Hash(), content)
	if err != nil {
		return nil, fmt.Errorf("keep the mapping of run %s: %w", in.Run, err)
	}
	if string(inForce) == string(content) {
		return m, nil // this one knows its places in the file
	}
	return mapping.Decode(inForce)
}

// compareMapping tells when the mapping is another than the last run's.
func (a *Activities) compareMapping(ctx context.Context, in migration.PreflightInput, m *mapping.Mapping, out *migration.CheckOutcome) error {
	last, any, err := a.Ledger.MappingBefore(ctx, in.Migration, in.Run)
	if err != nil {
		return fmt.Errorf("ask for the last run's mapping: %w", err)
	}
	now, name := "", "there is no mapping file now"
	if m != nil {
		now, name = m.Hash(), "now it is "+m.Name()
	}
	if !any || last == now {
		return nil
	}
	was := "the last run had no mapping"
	if last != "" {
		was = "the last run's mapping was " + last[:mapping.ShortHash]
	}
	out.Findings = append(out.Findings, migration.CheckFinding{
		Name: "mapping_changed", Text: was + ", and " + name,
		Fix: "what is in the account stays as it was mapped then; the new mapping holds for what is brought from now on",
	})
	return nil
}

// unusable turns the error of a mapping file into findings.
func unusable(err error) []migration.CheckFinding {
	var invalid *mapping.Invalid
	if !errors.As(err, &invalid) {
		return []migration.CheckFinding{{
			Name: "mapping", Fatal: true, Text: err.Error(), Fix: "make the file readable for the workers, or unset FAREWELL_MAPPING",
		}}
	}
	var findings []migration.CheckFinding
	for i, p := range invalid.Problems {
		if i == problemsShown {
			more := fmt.Sprintf("and %d problems more", len(invalid.Problems)-i)
			return append(findings, migration.CheckFinding{Name: "mapping", Fatal: true, Text: more, Fix: "correct those above first"})
		}
		findings = append(findings, mappingFinding(p, true))
	}
	return findings
}

func mappingFinding(p mapping.Problem, fatal bool) migration.CheckFinding {
	return migration.CheckFinding{Name: "mapping", Fatal: fatal, Text: p.String(), Fix: p.Fix}
}

// mappingOf is the mapping that a run works with; nil: none. All workers apply
// the same one, whatever became of the file.
func (a *Activities) mappingOf(ctx context.Context, m migration.Migration, run string) (*mapping.Mapping, error) {
	content, err := a.Ledger.Mapping(ctx, m, run)
	if err != nil {
		return nil, fmt.Errorf("ask for the mapping of run %s: %w", run, err)
	}
	if content == nil {
		return nil, nil
	}
	return mapping.Decode(content)
}

// leaveBehind takes the tickets out of a page that the mapping does not want,
// each with its reason.
func (l *lane) leaveBehind(page migration.Page) (migration.Page, []migration.Item) {
	if l.mapping == nil || !l.mapping.Tickets.Skip.Skips() {
		return page, nil
	}
	var left []migration.Item
	gone := map[string]bool{}
	for i := range page.Tickets {
		t := &page.Tickets[i]
		if code, text := l.mapping.Tickets.Skip.Reason(t); code != "" {
			gone[t.ID] = true
			left = append(left, migration.Item{SourceID: t.ID, Outcome: migration.Skipped, Code: code, Text: text})
		}
	}
	if len(left) == 0 {
		return page, nil
	}
	l.mu.Lock()
	l.stayed += len(left)
	l.mu.Unlock()
	return page.Without(gone), left
}
