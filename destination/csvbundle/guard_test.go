package csvbundle

import (
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"farewell/migration"
)

// guarded writes texts as COPY does, each in a row of its own, and reads back
// what the bundle makes of them.
func guarded(t *testing.T, texts []string) []string {
	t.Helper()
	var file strings.Builder
	r := newRows(&file, []migration.Column{{Name: "body", Type: migration.ColumnString}}, form{}, newNoting().of("comments"))
	for _, text := range texts {
		if _, err := io.WriteString(r, rowOf(&text)); err != nil {
			t.Fatal(err)
		}
	}
	var found []string
	for from := newReader(strings.NewReader(file.String())); ; {
		record, err := from.read()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, record[0].text)
	}
}

// What a spreadsheet runs is short and stands at the beginning, so texts of few
// characters over the dangerous ones are all that there are to try.
func TestTheGuardIsHarmlessAndTakenBackByteForByte(t *testing.T) {
	t.Parallel()
	const dangerous = "'\"=+-@\t\r\n,a0 é\\."
	texts := hostile()
	random := rand.New(rand.NewPCG(1, 2))
	letters := []rune(dangerous)
	for range 50_000 {
		text := make([]rune, random.IntN(6))
		for i := range text {
			text[i] = letters[random.IntN(len(letters))]
		}
		texts = append(texts, string(text))
	}
	changed := 0
	for i, got := range guarded(t, texts) {
		if !harmless(got) {
			t.Errorf("%q would be run by a spreadsheet", got)
		}
		if back := unguard(got); back != texts[i] {
			t.Errorf("%q came back as %q", texts[i], back)
		}
		if got != texts[i] {
			changed++
		}
	}
	if changed < 10_000 {
		t.Errorf("only %d texts were guarded, so this shows little", changed)
	}
}
