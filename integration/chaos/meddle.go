package main

import (
	"context"
	"time"

	"farewell/integration/database"
)

// meddleEvery is how often a record changes at the source.
const meddleEvery = 3 * time.Second

// meddle changes some customers' tickets while they are migrated: new ones
// come, titles change, and a few are deleted. What a ticket was before is kept
// for the judge, since it may have been read by then. No title grows beyond what
// the account takes: that one would be cut, and told so in a comment. A new
// ticket is some seconds old: the account refuses comments of the future, so
// that what was said this very second is dated a second or two earlier: that
// date is right, too. Nobody who is
// suspended opens one.
func (w *world) meddle(ctx context.Context, quiet <-chan struct{}) {
	for n := 0; !wait(ctx, quiet, meddleEvery); n++ {
		for _, c := range w.customers {
			if !c.meddled {
				continue
			}
			if err := database.Execute(ctx, w.Source, changes[n%len(changes)], c.name, 1+n%100); err != nil && ctx.Err() == nil {
				w.say("change a ticket of %s: %v", c.name, err) // the server may be down
			}
		}
	}
}

// changes are made in turn, to a ticket of tenant $1 chosen by $2.
var changes = []string{
	`with was as (
		select conversation_no, coalesce(title, '') as title, touched_at from crm.conversations
		where client = $1 order by conversation_no offset $2 * 7 limit 1
	), kept as (
		insert into chaos.before select conversation_no, title, touched_at from was
		union all select conversation_no, left(title, 250) || ' *', date_trunc('second', now()) - s * interval '1 second' from was, generate_series(1, 2) s
	)
	update crm.conversations c set title = left(was.title, 250) || ' *', touched_at = date_trunc('second', now())
	from was where was.conversation_no = c.conversation_no`,
	`with model as (
		select c.* from crm.conversations c join crm.people p on p.person_no = c.opened_by
		where c.client = $1 and not p.banned order by conversation_no offset $2 limit 1
	), made as (
		insert into crm.conversations (conversation_no, client, opened_by, entered_by, company_no, title, progress, urgency, category, channel, product, order_no, opened_at, touched_at, answered_at)
		select (select max(conversation_no) + 1 from crm.conversations), client, opened_by, entered_by, company_no, 'late ' || $2, progress, urgency, category, channel, product, order_no,
			date_trunc('second', now()) - interval '5 seconds', date_trunc('second', now()), case when answered_at is not null then date_trunc('second', now()) - interval '5 seconds' end
		from model
		returning conversation_no, client, opened_by, opened_at, title, touched_at
	), dated as (
		insert into chaos.before select conversation_no, title, touched_at - s * interval '1 second' from made, generate_series(1, 2) s
	)
	insert into crm.messages (message_no, client, conversation_no, sent_by, internal, content, markup, sent_at)
	select (select max(message_no) + 1 from crm.messages), client, conversation_no, opened_by, false, 'it came late', 'text', opened_at
	from made`,
}
