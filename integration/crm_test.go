package integration_test

import "testing"

// utc shows a time of the sample CRM as Zendesk shows times.
func utc(column string) string {
	return `to_char(` + column + ` at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`
}

// conversations are a tenant's tickets as the CRM's own tables hold them, each
// with its tags and its messages in their order.
func (s *stage) conversations(client string) []map[string]any {
	s.t.Helper()
	return query(s.t, s.source, `
		select c.conversation_no, c.opened_by, c.entered_by, c.company_no, c.title, c.progress, c.urgency, c.category, c.channel,
		       c.product, c.order_no, `+utc("c.opened_at")+` as opened, `+utc("c.touched_at")+` as touched, `+utc("c.answered_at")+` as answered,
		       (select json_agg(t.tag) from crm.conversation_tags t where t.conversation_no = c.conversation_no) as tags,
		       (select json_agg(row_to_json(m) order by m.sent_at, m.message_no) from (
		           select message_no, sent_by, internal, content, markup, sent_at, `+utc("sent_at")+` as sent,
		                  (select json_agg(json_build_object('no', f.file_no, 'name', f.name) order by f.stored_at, f.file_no)
		                   from crm.files f where f.message_no = m.message_no) as files
		           from crm.messages m where m.conversation_no = c.conversation_no) m) as messages
		from crm.conversations c where c.client = $1 order by c.conversation_no`, client)
}

// people are a tenant's people, registered twice or not.
func (s *stage) people(client string) []map[string]any {
	s.t.Helper()
	return query(s.t, s.source, `
		select person_no, company_no, concat_ws(' ', first_name, last_name) as name, lower(mail) as mail, phone, zone, language, labels, kind,
		       also_at, more_mails, more_phones, attributes, banned
		from crm.people where client = $1 order by person_no`, client)
}

func (s *stage) companies(client string) []map[string]any {
	s.t.Helper()
	return query(s.t, s.source, `select company_no, title, about, memo, labels, attributes from crm.companies where client = $1 order by company_no`, client)
}

// count is a number that the source gives.
func count(t testing.TB, url, sql string, args ...any) int {
	t.Helper()
	rows := query(t, url, "select ("+sql+") as n", args...)
	return number(t, rows[0]["n"])
}

// ticketsOf is the number of a tenant's tickets.
func (s *stage) ticketsOf(client string) int {
	s.t.Helper()
	return count(s.t, s.source, "select count(*) from crm.conversations where client = $1", client)
}
