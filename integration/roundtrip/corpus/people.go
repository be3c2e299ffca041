package corpus

import (
	"strconv"
	"strings"

	"farewell/integration/roundtrip/judge"
)

// firstOdd is above the numbers of the persons and organizations of the tickets.
const firstOdd = 10_000

// People are users and organizations with odd names, addresses and tags, whom
// no ticket names.
func People(first int) []judge.Person {
	var all []judge.Person
	add := func(p judge.Person) {
		p.ID = strconv.Itoa(first + firstOdd + len(all))
		all = append(all, p)
	}
	for i, text := range append(odd(), controls()...) {
		add(judge.Person{Entity: "users", Name: text.Body, Email: "odd" + strconv.Itoa(i) + "@hostile.example"})
		add(judge.Person{Entity: "organizations", Name: text.Body})
		add(judge.Person{Entity: "users", Name: "tagged " + strconv.Itoa(i), Tags: []string{text.Body, "plain"}})
	}
	for _, name := range []string{"", " \t", strings.Repeat("é", 255), strings.Repeat("漢", 256), "  " + strings.Repeat("😀", 300) + "  "} {
		add(judge.Person{Entity: "users", Name: name})
		add(judge.Person{Entity: "organizations", Name: name, Tags: []string{"Some Words", "", "x,y"}})
	}
	add(judge.Person{Entity: "users", Email: "  Nameless@Hostile.example\t"})
	add(judge.Person{Entity: "users", Name: "Phone", Phone: "\u00a0+420 123\n"})
	add(judge.Person{Entity: "users", Name: "At home", Organization: strconv.Itoa(first + 1)})
	add(judge.Person{Entity: "users", Name: "Homeless", Organization: strconv.Itoa(first + Organizations + 5)})
	return all
}
