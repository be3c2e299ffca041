package zendesk

import (
	"encoding/hex"
	"strings"
)

// ExternalID is the external id of a record: the prefix and the source id, so
// written that two source ids never become one to Zendesk, which compares
// without case, and that the id can stand in a list with commas. Lower-case
// ASCII letters, digits and any of "-_.:@/" stay as they are; an upper-case
// ASCII letter becomes ^ and the lower-case one; every other byte becomes ~
// and two hexadecimal digits.
func ExternalID(prefix, sourceID string) string {
	return string(appendExternalID(nil, prefix, sourceID))
}

func appendExternalID(buf []byte, prefix, sourceID string) []byte {
	buf = append(buf, prefix...)
	for i := range len(sourceID) {
		b := sourceID[i]
		switch {
		case 'a' <= b && b <= 'z', '0' <= b && b <= '9', strings.IndexByte("-_.:@/", b) >= 0:
			buf = append(buf, b)
		case 'A' <= b && b <= 'Z':
			buf = append(buf, '^', b+'a'-'A')
		default:
			buf = append(buf, '~', hexDigits[b>>4], hexDigits[b&15])
		}
	}
	return buf
}

const hexDigits = "0123456789abcdef"

// SourceID is the source id that ExternalID wrote; ok is false for external
// ids of others. Case means nothing, as to Zendesk.
func SourceID(prefix, externalID string) (id string, ok bool) {
	if len(externalID) < len(prefix) || !strings.EqualFold(externalID[:len(prefix)], prefix) {
		return "", false
	}
	rest := strings.ToLower(externalID[len(prefix):])
	if !strings.ContainsAny(rest, "^~") {
		return rest, rest != ""
	}
	var out []byte
	for i := 0; i < len(rest); i++ {
		switch {
		case rest[i] == '^' && i+1 < len(rest) && 'a' <= rest[i+1] && rest[i+1] <= 'z':
			out = append(out, rest[i+1]-'a'+'A')
			i++
		case rest[i] == '~' && i+2 < len(rest):
			b, err := hex.DecodeString(rest[i+1 : i+3])
			if err != nil {
				return "", false
			}
			out = append(out, b[0])
			i += 2
		case rest[i] == '^' || rest[i] == '~':
			return "", false
		default:
			out = append(out, rest[i])
		}
	}
	return string(out), true
}
