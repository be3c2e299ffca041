package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"farewell/integration/roundtrip/judge"
)

// truthSQL shows a client's conversations as the judge takes them, from the
// CRM's own tables.
const truthSQL = `
	select json_build_object(
		'id', c.conversation_no::text, 'subject', coalesce(c.title, ''),
		'status', case c.progress when 'fresh' then 'new' when 'active' then 'open' when 'waiting' then 'pending' when 'parked' then 'hold'
			when 'answered' then 'solved' when 'archived' then 'closed' end,
		'priority', case c.urgency when 1 then 'low' when 2 then 'normal' when 3 then 'high' when 4 then 'urgent' else '' end,
		'type', case c.category when 'ask' then 'question' when 'fault' then 'problem' when 'outage' then 'incident' when 'todo' then 'task' else '' end,
		'channel', case c.channel when 'mail' then 'email' when 'livechat' then 'chat' else c.channel::text end,
		'requester', c.opened_by::text, 'submitter', coalesce(c.entered_by::text, ''), 'organization', coalesce(c.company_no::text, ''),
		'ccs', c.copied_to::text[],
		'tags', (select json_agg(t.tag order by t.tag) from crm.conversation_tags t where t.conversation_no = c.conversation_no),
		'fields', json_strip_nulls(json_build_object('360500000001', c.product, '360500000002', c.order_no::text)),
		'created', floor(extract(epoch from c.opened_at))::bigint, 'updated', floor(extract(epoch from c.touched_at))::bigint,
		'solved', floor(extract(epoch from c.answered_at))::bigint,
		'comments', (
			select json_agg(json_build_object(
				'id', m.message_no::text, 'author', coalesce(m.sent_by::text, ''), 'public', not m.internal, 'html', m.markup = 'html',
				'body', m.content, 'created', floor(extract(epoch from m.sent_at))::bigint) order by m.sent_at, m.message_no)
			from crm.messages m where m.conversation_no = c.conversation_no))::text
	from crm.conversations c
	where c.client = $1
	order by c.conversation_no`

// truth calls fn for each of a client's tickets.
func truth(ctx context.Context, url, client string, fn func(judge.Ticket) error) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, truthSQL, client)
	if err != nil {
		return err
	}
	var text string
	_, err = pgx.ForEachRow(rows, []any{&text}, func() error {
		var t judge.Ticket
		if err := json.Unmarshal([]byte(text), &t); err != nil {
			return fmt.Errorf("conversation of %s: %w", client, err)
		}
		return fn(t)
	})
	return err
}

// person is somebody whom a client knows.
type person struct {
	judge.Person
	mail  string // in lower case, without blanks around
	staff bool
}

// registered are a client's people, some of them twice, and its companies.
func registered(ctx context.Context, url, client string) ([]person, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, `
		select 'users', person_no::text, concat_ws(' ', first_name, last_name), coalesce(mail, ''), coalesce(phone, ''), coalesce(company_no::text, ''),
			labels, kind <> 'customer'
		from crm.people where client = $1
		union all
		select 'organizations', company_no::text, title, '', '', '', labels, false from crm.companies where client = $1`, client)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (p person, err error) {
		err = row.Scan(&p.Entity, &p.ID, &p.Name, &p.Email, &p.Phone, &p.Organization, &p.Tags, &p.staff)
		p.mail = strings.ToLower(strings.TrimSpace(p.Email))
		return p, err
	})
}
