package main

import (
	"testing"
	"time"
)

func TestNumbersHaveSeparators(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 15342: "15,342", 200_000_000: "200,000,000", -1234: "-1,234"} {
		if got := number(n); got != want {
			t.Errorf("number(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestSpansHaveTwoUnits(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		-time.Second: "0 s", 9*time.Second + 600*time.Millisecond: "10 s", 61 * time.Second: "1 min 1 s",
		3*time.Hour + 20*time.Minute: "3 h 20 min", 50 * time.Hour: "2 days 2 h",
	} {
		if got := span(d); got != want {
			t.Errorf("span(%s) = %q, want %q", d, got, want)
		}
	}
}

func TestMomentsNameTheReadersZone(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("CET", 3600)
	now := noon.In(zone)
	if got := moment(noon.Add(-time.Minute), now); got != "12:59:00 CET" {
		t.Errorf("today: %q", got)
	}
	if got := moment(noon.Add(-24*time.Hour), now); got != "2026-11-21 13:00 CET" {
		t.Errorf("yesterday: %q", got)
	}
}

func TestFitCountsTerminalColumns(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text  string
		width int
		want  string
	}{
		{"acme", 4, "acme"},
		{"acme", 3, "ac…"},
		{"漢字会社", 8, "漢字会社"},
		{"漢字会社", 6, "漢字…"},
		{"e\u0301te\u0301", 3, "e\u0301te\u0301"},
		{"acme", 0, ""},
	} {
		if got := fit(c.text, c.width); got != c.want || columns(got) > c.width {
			t.Errorf("fit(%q, %d) = %q, want %q", c.text, c.width, got, c.want)
		}
	}
}

func TestCleanKeepsTheCursorWhereItIs(t *testing.T) {
	t.Parallel()
	if got, want := clean("a\x1b[2Jb\r\nc\u202ed\u0085 e"), "a[2Jb cd e"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCustomersAreShownAsTyped(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{"acme-1": "acme-1", "big, inc": "'big, inc'", "o'neil": `'o'\''neil'`, "-x": "'-x'", "": "''"} {
		if got := quoted(id); got != want {
			t.Errorf("quoted(%q) = %s, want %s", id, got, want)
		}
	}
}

func TestPercentages(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]float64{"5%": 5, "0.5": 0.5, "100 %": 100} {
		var p percentage
		if err := p.Set(text); err != nil || float64(p) != want {
			t.Errorf("%q: %v, %v", text, p, err)
		}
	}
	for _, text := range []string{"0", "101%", "x", "", "NaN"} {
		var p percentage
		if err := p.Set(text); err == nil {
			t.Errorf("%q was taken as %v", text, p)
		}
	}
}
