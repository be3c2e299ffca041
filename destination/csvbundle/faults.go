package csvbundle

import (
	"maps"
	"slices"
	"strings"

	"farewell/migration"
)

// fault is a line of errors.csv: a record that is not as it should be, or a file
// that is not there.
type fault struct {
	entity, id, stage, code, reason string
}

// faultColumns are those of errors.csv.
func faultColumns() []migration.Column {
	return []migration.Column{
		{Name: "entity", Type: migration.ColumnString}, {Name: "id", Type: migration.ColumnString},
		{Name: "stage", Type: migration.ColumnString}, {Name: "reason_code", Type: migration.ColumnString},
		{Name: "reason", Type: migration.ColumnString}, {Name: "attempts", Type: migration.ColumnInteger},
	}
}

// faults lists the records of which the bundle has nothing but the id.
func faults(parts []storedPart, lost map[string][]string) []fault {
	var all []fault
	for _, table := range slices.Sorted(maps.Keys(lost)) {
		for _, id := range lost[table] {
			all = append(all, fault{table, id, "export", "unknown_at_source", "other records name it, and the source does not have it"})
		}
	}
	for _, p := range parts {
		for _, o := range p.Orphans {
			all = append(all, fault{"comments", o, "export", "unknown_at_source", "an attachment belongs to it, and the source does not have it"})
		}
	}
	return all
}

func errorsFile(faults []fault) string {
	var b strings.Builder
	b.WriteString(headerRow(faultColumns()))
	once := "1" // what a source does not have is not asked for twice
	for _, f := range faults {
		attempts := &once
		if f.entity == string(migration.Attachments) {
			attempts = nil // as many as it took to know
		}
		b.WriteString(rowOf(&f.entity, &f.id, &f.stage, &f.code, &f.reason, attempts))
	}
	return b.String()
}
