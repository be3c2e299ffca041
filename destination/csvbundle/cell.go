package csvbundle

import (
	"encoding/json"
	"regexp"
	"strconv"
	"time"
	"unicode/utf8"

	"farewell/migration"
)

// cellCheck tells whether a cell that is not NULL is of its column's type.
type cellCheck func(text string) bool

var uuidForm = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

func cellCheckOf(c migration.Column, guarded bool) cellCheck {
	switch c.Type {
	case migration.ColumnInteger:
		return func(text string) bool {
			_, err := strconv.ParseInt(text, 10, 64)
			return err == nil
		}
	case migration.ColumnUUID:
		return uuidForm.MatchString
	case migration.ColumnBoolean:
		return func(text string) bool { return text == "true" || text == "false" }
	case migration.ColumnDatetime:
		return func(text string) bool {
			_, err := time.Parse("2006-01-02T15:04:05.000000Z", text)
			return err == nil
		}
	case migration.ColumnArray, migration.ColumnObject:
		return func(text string) bool { return json.Valid([]byte(text)) }
	}
	return func(text string) bool {
		return utf8.ValidString(text) && (!guarded || harmless(text))
	}
}

// harmless tells whether a spreadsheet would show the text and not run it.
func harmless(text string) bool {
	return text == "" || text[0] == '\'' || !needsGuard([]byte(text[:1]))
}
