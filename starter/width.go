package main

import (
	"strings"
	"unicode"
)

// columns is how many terminal columns a text takes. Ids of customers may be in
// any script, and tables must line up nevertheless.
func columns(s string) int {
	n := 0
	for _, r := range s {
		n += runeColumns(r)
	}
	return n
}

// wide holds the ranges that terminals show in two columns: those of class W
// and F in Unicode's EastAsianWidth.txt, roughly, and emoji.
var wide = [][2]rune{
	{0x1100, 0x115f}, {0x2e80, 0x303e}, {0x3041, 0x33ff}, {0x3400, 0x4dbf}, {0x4e00, 0x9fff},
	{0xa000, 0xa4cf}, {0xa960, 0xa97f}, {0xac00, 0xd7a3}, {0xf900, 0xfaff}, {0xfe30, 0xfe6f},
	{0xff00, 0xff60}, {0xffe0, 0xffe6}, {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff},
	{0x1f900, 0x1f9ff}, {0x1fa70, 0x1faff}, {0x20000, 0x3fffd},
}

func runeColumns(r rune) int {
	if unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) {
		return 0
	}
	for _, bounds := range wide {
		if r >= bounds[0] && r <= bounds[1] {
			return 2
		}
	}
	return 1
}

// fit cuts a text to a number of columns, with an ellipsis where it was cut.
func fit(s string, width int) string {
	if columns(s) <= width {
		return s
	}
	if width <= 0 {
		return ""
	}
	var b strings.Builder
	left := width - 1
	for _, r := range s {
		n := runeColumns(r)
		if n > left {
			break
		}
		left -= n
		b.WriteRune(r)
	}
	return b.String() + "…"
}

// pad fills a text up with blanks on its right.
func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-columns(s)))
}

// padLeft fills a text up with blanks on its left, for numbers.
func padLeft(s string, width int) string {
	return strings.Repeat(" ", max(0, width-columns(s))) + s
}
