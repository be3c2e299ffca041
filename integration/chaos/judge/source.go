package judge

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// ticket is what one conversation must have become.
type ticket struct {
	digests []digest // of any version that it had while it was migrated
	html    []bool   // by message
	long    bool     // a message is longer than the account takes: it arrives in pieces
}

// The CRM's words in Zendesk's.
var (
	statuses   = map[string]string{"fresh": "new", "active": "open", "waiting": "pending", "parked": "hold", "answered": "solved", "archived": "closed"}
	priorities = map[string]string{"": "", "1": "low", "2": "normal", "3": "high", "4": "urgent"}
	types      = map[string]string{"": "", "ask": "question", "fault": "problem", "outage": "incident", "todo": "task"}
	channels   = map[string]string{"mail": "email", "livechat": "chat", "facebook": "facebook", "twitter": "twitter"}
)

// bodyLimit is the longest comment that the account takes, in bytes.
const bodyLimit = 65_000

// expected reads a tenant's conversations with their messages. A conversation
// that was changed meanwhile may have arrived in either version: what it was
// before is in chaos.before.
func expected(ctx context.Context, conn *pgx.Conn, c Case, people directory) (map[string]ticket, error) {
	const instant = `'YYYY-MM-DD"T"HH24:MI:SS"Z"'`
	rows, err := conn.Query(ctx, `
		select c.conversation_no::text, coalesce(c.opened_by::text, ''), coalesce(c.entered_by::text, ''), coalesce(c.company_no::text, ''),
		       coalesce(c.title, ''), c.progress::text, coalesce(c.urgency::text, ''), coalesce(c.category::text, ''), c.channel::text,
		       coalesce(c.product, ''), coalesce(c.order_no::text, ''),
		       to_char(c.opened_at at time zone 'UTC', `+instant+`), to_char(c.touched_at at time zone 'UTC', `+instant+`),
		       coalesce(to_char(c.answered_at at time zone 'UTC', `+instant+`), ''),
		       array(select t.tag from crm.conversation_tags t where t.conversation_no = c.conversation_no),
		       array(select b.title from chaos.before b where b.conversation_no = c.conversation_no),
		       array(select to_char(b.touched_at at time zone 'UTC', `+instant+`) from chaos.before b where b.conversation_no = c.conversation_no),
		       m.authors, m.internal, m.html, m.sent, m.contents
		from crm.conversations c,
		lateral (
			select coalesce(array_agg(coalesce(m.sent_by::text, '') order by m.sent_at, m.message_no), '{}') as authors,
			       coalesce(array_agg(m.internal order by m.sent_at, m.message_no), '{}') as internal,
			       coalesce(array_agg(m.markup = 'html' order by m.sent_at, m.message_no), '{}') as html,
			       coalesce(array_agg(to_char(m.sent_at at time zone 'UTC', `+instant+`) order by m.sent_at, m.message_no), '{}') as sent,
			       coalesce(array_agg(m.content order by m.sent_at, m.message_no), '{}') as contents
			from crm.messages m where m.conversation_no = c.conversation_no
		) m
		where c.client = $1`, c.Client)
	if err != nil {
		return nil, fmt.Errorf("read the conversations of %s: %w", c.Client, err)
	}
	want := map[string]ticket{}
	var id, opened, entered, company, title, progress, urgency, category, channel, product, order, opens, touched, solved string
	var tags, titles, touches, authors, sent, contents []string
	var internal, html []bool
	_, err = pgx.ForEachRow(rows, []any{&id, &opened, &entered, &company, &title, &progress, &urgency, &category, &channel,
		&product, &order, &opens, &touched, &solved, &tags, &titles, &touches, &authors, &internal, &html, &sent, &contents}, func() error {
		submitter := opened
		if entered != "" {
			submitter = entered
		}
		of := content{
			subject: title, status: statuses[progress], priority: priorities[urgency], kind: types[category],
			requester: people.ofPerson[opened], submitter: people.ofPerson[submitter], organization: company,
			created: opens, updated: touched, solved: solved, product: product, order: order,
			tags: append(slices.Clone(tags), "channel_"+channels[channel]),
		}
		t := ticket{html: slices.Clone(html)}
		for i := range contents {
			body := contents[i]
			if strings.TrimSpace(body) == "" {
				body, t.html[i] = "(no text)", false
			}
			t.long = t.long || len(contents[i]) > bodyLimit
			of.comments = append(of.comments, comment{author: people.ofPerson[authors[i]], public: !internal[i], created: sent[i], body: body})
		}
		t.digests = append(t.digests, of.digest(t.long))
		for i := range titles {
			of.subject, of.updated = titles[i], touches[i]
			t.digests = append(t.digests, of.digest(t.long))
		}
		want[id] = t
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the conversations of %s: %w", c.Client, err)
	}
	return want, nil
}

// content is a ticket in words that both sides can say.
type content struct {
	subject, status, priority, kind    string
	requester, submitter, organization string
	created, updated, solved           string
	product, order                     string
	tags                               []string
	comments                           []comment
}

type comment struct {
	author  string
	public  bool
	created string
	body    string
}

// digest holds a hash of each part of a ticket, so that a difference has a name
// without anybody's words being kept.
type digest []part

type part struct {
	name string
	hash uint64
}

// digest takes everything. Of a ticket with a message in pieces only the text
// as a whole counts.
func (c content) digest(long bool) digest {
	tags := slices.Clone(c.tags)
	slices.Sort(tags)
	d := digest{
		of("subject", c.subject), of("status", c.status), of("priority", c.priority), of("type", c.kind), of("requester", c.requester),
		of("submitter", c.submitter), of("organization", c.organization), of("created_at", c.created), of("updated_at", c.updated),
		of("solved_at", c.solved), of("product", c.product), of("order number", c.order), of("tags", fmt.Sprintf("%q", slices.Compact(tags))),
	}
	whole := ""
	for i, m := range c.comments {
		name := fmt.Sprintf("comment %d: ", i+1)
		if long {
			whole += m.body
			continue
		}
		d = append(d, of(name+"author", m.author), of(name+"public", fmt.Sprint(m.public)), of(name+"created_at", m.created), of(name+"body", m.body))
	}
	return append(d, of("text in pieces", whole))
}

func of(name, value string) part {
	sum := sha256.Sum256([]byte(value))
	return part{name, binary.LittleEndian.Uint64(sum[:])}
}

// differences names the parts in which two digests differ.
func (d digest) differences(e digest) []string {
	if len(d) != len(e) {
		return []string{fmt.Sprintf("%d parts instead of %d", len(d), len(e))}
	}
	var names []string
	for i := range d {
		if d[i].hash != e[i].hash {
			names = append(names, d[i].name)
		}
	}
	return names
}
