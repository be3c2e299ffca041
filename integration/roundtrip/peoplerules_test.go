package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"farewell/destination"
	"farewell/destination/zendesk"
	"farewell/integration/roundtrip/corpus"
	"farewell/integration/roundtrip/judge"
	"farewell/migration"
)

// oddPeople are those of the corpus, and one of the staff who has no seat.
func oddPeople() []person {
	people := []person{{
		Person: judge.Person{Entity: "users", ID: strconv.Itoa(firstNumber + 5_000), Name: "Agent", Email: "agent@hostile.example"},
		mail:   "agent@hostile.example", staff: true,
	}}
	for _, p := range corpus.People(firstNumber) {
		people = append(people, registeredAs(p))
	}
	return people
}

func TestOddPeopleArriveOrAreListed(t *testing.T) {
	t.Parallel()
	seen, err := newDirect(t).bringPeople(t.Context(), oddPeople(), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range seen.unlisted {
		t.Error(u)
	}
	t.Logf("%d people, changes %v", seen.people, seen.rules)
	if missing := unseen(seen.rules, peopleRules()); missing != "" {
		t.Errorf("nobody of the corpus needs %s", missing)
	}
}

// Without a rule, the account refuses or changes somebody, and the judge sees it.
func TestNoRuleAboutPeopleCanBeDoneWithout(t *testing.T) {
	t.Parallel()
	people := oddPeople()
	for _, rule := range peopleRules() {
		t.Run(string(rule), func(t *testing.T) {
			t.Parallel()
			needing := newDirect(t).peopleNeeding(t, people, rule)
			with, err := newDirect(t).bringPeople(t.Context(), needing, "")
			if err != nil || len(with.unlisted) > 0 {
				t.Fatalf("with it: %q, %v", with.unlisted, err)
			}
			without, err := newDirect(t).bringPeople(t.Context(), needing, rule)
			if err != nil {
				t.Fatal(err)
			}
			if len(without.unlisted) == 0 {
				t.Errorf("%d people arrived without it as they are at the source", len(needing))
			}
		})
	}
}

// peopleNeeding are some to whom a rule is applied.
func (d *direct) peopleNeeding(t *testing.T, people []person, rule migration.Rule) []person {
	t.Helper()
	a, err := d.open("")
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	var needing []person
	for _, e := range []migration.Entity{migration.Users, migration.Organizations} {
		of := slices.DeleteFunc(slices.Clone(people), func(p person) bool { return p.Entity != string(e) })
		parcel, err := d.prepare(t.Context(), a, destination.PrepareInput{Entity: e, Page: page(of...)})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range of {
			if len(needing) < 20 && slices.ContainsFunc(parcel.Changes, func(c migration.Change) bool { return c.SourceID == p.ID && c.Rule == rule }) {
				needing = append(needing, p)
			}
		}
	}
	return needing
}

// bringPeople makes users and organizations one by one without a rule, and
// judges who is there.
func (d *direct) bringPeople(ctx context.Context, people []person, off migration.Rule) (tally, error) {
	a, err := d.open(off)
	if err != nil {
		return tally{}, err
	}
	defer a.Close()
	var changes []migration.Change
	for _, p := range people {
		made, err := d.bringPerson(ctx, a, p)
		if err != nil {
			return tally{}, fmt.Errorf("%s %s: %w", p.Entity, p.ID, err)
		}
		changes = append(changes, made...)
	}
	who := d.world
	who.Users, who.Organizations, who.Changes = maps.Clone(who.Users), maps.Clone(who.Organizations), map[string][]judge.Change{}
	c := newCrowd(who)
	if err := c.read(ctx, d.reader); err != nil {
		return tally{}, err
	}
	c.merge(people)
	for _, of := range listed(changes) {
		c.take(of)
	}
	return c.judge(people), nil
}

// bringPerson sends somebody; who is refused is missing.
func (d *direct) bringPerson(ctx context.Context, a *zendesk.Account, p person) ([]migration.Change, error) {
	parcel, err := d.prepare(ctx, a, destination.PrepareInput{Entity: migration.Entity(p.Entity), Page: page(p)})
	if err != nil || len(parcel.Sent) == 0 {
		return parcel.Changes, err
	}
	_, _, err = d.post(ctx, p.Entity, strings.TrimSuffix(p.Entity, "s"), parcel.Body)
	return parcel.Changes, err
}

// page holds people as the source's package reads them.
func page(people ...person) migration.Page {
	var page migration.Page
	for _, p := range people {
		if p.Entity == string(migration.Organizations) {
			page.Organizations = append(page.Organizations, migration.Organization{ID: p.ID, Name: p.Name, Tags: p.Tags})
			continue
		}
		u := migration.User{ID: p.ID, Name: p.Name, Email: p.Email, Phone: p.Phone, OrganizationID: p.Organization, Tags: p.Tags, Role: "end_user"}
		if p.staff {
			u.Role = "agent"
		}
		page.Users = append(page.Users, u)
	}
	return page
}

func registeredAs(p judge.Person) person {
	return person{Person: p, mail: strings.ToLower(strings.TrimSpace(p.Email))}
}
