package csvbundle

import "strings"

// guardName is what data packages call the guard below.
const guardName = "apostrophe-v1"

// The guard makes a text harmless for spreadsheets, which run what begins with
// one of = + - @, a tab or a line break as a formula
// (https://owasp.org/www-community/attacks/CSV_Injection). It puts an apostrophe
// before it, and before such a text that has apostrophes in front already, so
// that unguard gives every text back.

// unguard takes back what the guard did.
func unguard(text string) string {
	if rest, ok := strings.CutPrefix(text, "'"); ok && needsGuard([]byte(rest)) {
		return rest
	}
	return text
}

// needsGuard tells whether the text is any number of apostrophes and then a
// character that begins a formula.
func needsGuard(text []byte) bool {
	for _, c := range text {
		switch c {
		case '\'':
		case '=', '+', '-', '@', '\t', '\r', '\n':
			return true
		default:
			return false
		}
	}
	return false
}
