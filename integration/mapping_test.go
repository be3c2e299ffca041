package integration_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// mapped has every worker that is started from now on read a mapping file,
// which says nothing yet: whoever has no entries in it is migrated as without.
func (s *stage) mapped() {
	s.t.Helper()
	s.mapping = filepath.Join(s.dir, "mapping.yaml")
	s.writeMapping("version: 1\n")
}

func (s *stage) writeMapping(text string) {
	s.t.Helper()
	if err := os.WriteFile(s.mapping, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// theMapping has entries for all, some of which a customer's own replace.
const theMapping = `
version: 1
default:
  tickets:
    skip: {created_before: 2017-01-01}
    status: {values: {closed: solved, hold: pending}}
    priority: {default: low}
    tags: {values: {billing: money, praise: ~}, add: moved}
    fields:
      360500000001: Nowhere
      360500000002: ~
    group: {default: Support}
    assign:
      - when: {tag: vip}
        group: Very important
customers:
  customer-0002:
    tickets:
      skip: {created_before: 2016-01-01}
      priority: {default: normal}
      fields:
        360500000001: PRODUCT
        360500000002: {keep: note}
`

// wantMapped shows what an operator sees of a mapping: a wrong one is refused
// with the nearest match, a good one is applied to the customer's tickets, and
// what has no place in it is counted.
func (s *stage) wantMapped(customer string) {
	s.t.Helper()
	t := s.t
	s.sandbox.settings(customer, map[string]any{"groups": []map[string]any{{"id": 71, "name": "Support"}, {"id": 72, "name": "Very important"}}})
	s.writeMapping(strings.NewReplacer("PRODUCT", "Produkt", "Very important", "Very imporant", "keep: note", "kep: note").Replace(theMapping))
	wantSaid(t, s.wantExit(exitAttention, "check", customer), `mapping.yaml:23:24: unknown key "kep"`, `did you mean "keep"?`)
	s.writeMapping(strings.NewReplacer("PRODUCT", "Produkt", "Very important", "Very imporant").Replace(theMapping))
	refused := []string{
		`mapping.yaml:22:23: the account has no ticket field "Produkt"`, `did you mean "Product"?`,
		`mapping.yaml:15:16: the account has no group "Very imporant"`, `did you mean "Very important"?`,
	}
	wantSaid(t, s.wantExit(exitAttention, "start", customer, "--wait"), refused[:2]...)
	wantSaid(t, s.wantExit(exitAttention, "check", customer), refused...)
	if n := number(t, s.sandbox.stats(customer)["tickets"]); n != 0 {
		t.Errorf("a wrong mapping let %d tickets through", n)
	}

	s.writeMapping(strings.Replace(theMapping, "PRODUCT", "Product", 1))
	wantSaid(t, s.mustStart("check", customer), "fits the account")
	s.mustStart("start", customer, "--wait")
	brought, left, dropped, untagged := s.wantTicketsMapped(customer)
	wantCounts(t, s.status(customer), "tickets", map[string]int{"read": brought + left, "created": brought, "skipped": left})
	skipped := slices.DeleteFunc(s.failures(customer), func(f map[string]any) bool {
		return f["outcome"] != "skipped" || f["entity"] != "tickets" || f["code"] != "filtered_by_date"
	})
	if len(skipped) != left || left == 0 {
		t.Errorf("failures lists %d tickets as left behind, want %d, and some", len(skipped), left)
	}
	counted := map[string]int{}
	for _, c := range decodeList(t, []byte(s.mustStart("changes", customer, "-o", "json").stdout)) {
		if c["entity"] == "tickets" {
			counted[text(c["field"])+" "+text(c["rule"])]++
		}
	}
	for change, want := range map[string]int{
		"custom_fields.360500000002 field_dropped": dropped, "comments.body mapping_note": dropped, "tags tag_dropped": untagged,
	} {
		if counted[change] != want || want == 0 {
			t.Errorf("changes lists %d of %s, want %d, and some; all: %v", counted[change], change, want, counted)
		}
	}
	wantSaid(t, s.mustStart("status", customer), "mapping")
}

// wantTicketsMapped compares the account with what the mapping makes of the
// CRM, and counts what it brought, left behind and dropped.
func (s *stage) wantTicketsMapped(customer string) (brought, left, dropped, untagged int) {
	s.t.Helper()
	a := s.arrivedIn(customer, customer)
	for _, c := range s.conversations(customer) {
		no := text(c["conversation_no"])
		found := a.tickets["farewell-"+no]
		if text(c["opened"]) < "2016-01-01" {
			left++
			if len(found) != 0 {
				s.t.Errorf("ticket %s was to stay behind", no)
			}
			continue
		}
		brought++
		if len(found) != 1 {
			s.t.Errorf("ticket %s is there %d times", no, len(found))
			continue
		}
		tags, group := words(c["tags"]), "71"
		if slices.Contains(tags, "vip") {
			group = "72"
		}
		if slices.Contains(tags, "praise") {
			untagged++
		}
		status := map[string]string{"archived": "solved", "parked": "pending"}[text(c["progress"])]
		if status == "" {
			status = statusOf[text(c["progress"])]
		}
		priority := priorityOf[text(c["urgency"])]
		if priority == "" {
			priority = "normal"
		}
		note := ""
		if order := text(c["order_no"]); order != "" {
			dropped++
			note = "custom_fields.360500000002: " + order
		}
		s.wantTicketMapped(no, found[0], map[string]string{
			"status": status, "priority": priority, "group_id": group, "product": text(c["product"]), "order number": "", "note": note,
			"has money": yesNo(slices.Contains(tags, "billing")), "has billing": "no", "has praise": "no", "has moved": "yes",
		})
	}
	return brought, left, dropped, untagged
}

func (s *stage) wantTicketMapped(no string, got map[string]any, want map[string]string) {
	s.t.Helper()
	comments := objects(s.t, got["comments"])
	last := comments[len(comments)-1]
	note := ""
	if kept, found := strings.CutPrefix(text(last["body"]), "This had no place in the account:"); found && last["public"] == false {
		note = strings.TrimSpace(kept)
	}
	tags := words(got["tags"])
	is := map[string]string{
		"status": text(got["status"]), "priority": text(got["priority"]), "group_id": text(got["group_id"]),
		"product": customField(s.t, got, "360500000001"), "order number": customField(s.t, got, "360500000002"), "note": note,
	}
	for _, tag := range []string{"money", "billing", "praise", "moved"} {
		is["has "+tag] = yesNo(slices.Contains(tags, tag))
	}
	for name, value := range want {
		if is[name] != value {
			s.t.Errorf("ticket %s: %s is %q, want %q", no, name, is[name], value)
		}
	}
}

func yesNo(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}
