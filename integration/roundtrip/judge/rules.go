package judge

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// The rules about texts, written anew from docs/fidelity.md: text → text.

const (
	subjectCharacters = 255
	bodyBytes         = 65_000
	ticketComments    = 5_000
	ticketCCs         = 48
)

func cleaned(s string) string {
	var out []byte
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 || r == 0 {
			out = append(out, 0xEF, 0xBF, 0xBD)
		} else {
			out = append(out, s[:n]...)
		}
		s = s[n:]
	}
	return string(out)
}

func shortened(s string) string { return cut(s, subjectCharacters) }

func cut(s string, most int) string {
	if letters := []rune(s); len(letters) > most {
		return string(letters[:most])
	}
	return s
}

func blank(s string) bool {
	for _, r := range s {
		if !unicode.IsSpace(r) {
			return false
		}
	}
	return true
}

func filled(s string) string {
	if blank(s) {
		return "(no text)"
	}
	return s
}

func tag(s string) string {
	var b strings.Builder
	for _, r := range strings.TrimFunc(strings.ToLower(cleaned(s)), unicode.IsSpace) {
		if unicode.IsSpace(r) || unicode.Is(unicode.Cc, r) || r == ',' {
			r = '_'
		}
		b.WriteRune(r)
	}
	return b.String()
}
