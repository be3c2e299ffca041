package migration

// ColumnType is what the cells of a CSV column hold, in the words of Table
// Schema (https://datapackage.org/standard/table-schema/).
type ColumnType string

// The types of columns.
const (
	ColumnString   ColumnType = "string"
	ColumnUUID     ColumnType = "uuid" // a string of that format
	ColumnInteger  ColumnType = "integer"
	ColumnBoolean  ColumnType = "boolean"
	ColumnDatetime ColumnType = "datetime"
	ColumnArray    ColumnType = "array"  // JSON
	ColumnObject   ColumnType = "object" // JSON
)

// Column is a column of a CSV file.
type Column struct {
	Name string     `json:"name"`
	Type ColumnType `json:"type"`
}
