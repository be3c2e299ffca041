package mapping

import _ "embed"

//go:embed mapping.schema.json
var schema []byte

// Schema is the JSON Schema of the mapping file, for editors that complete and
// check while one types. Parse finds more, and names line and column.
func Schema() string { return string(schema) }
