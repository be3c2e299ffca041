package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"farewell/integration/roundtrip/corpus"
	"farewell/integration/roundtrip/judge"
)

// plant puts the corpus into the CRM's own tables, in the CRM's own words.
func plant(ctx context.Context, url string) (tickets int, err error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return 0, err
	}
	defer conn.Close(ctx)
	all := corpus.Tickets(size)
	return len(all), pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		for _, statement := range []string{
			"alter table crm.conversations alter progress drop not null, alter opened_at drop not null, alter touched_at drop not null",
			"alter table crm.messages alter sent_at drop not null",
			"insert into crm.clients values ('" + hostile + "', '" + hostile + "', 'team')",
		} {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return fmt.Errorf("%s: %w", statement, err)
			}
		}
		if err := plantPeople(ctx, tx); err != nil {
			return err
		}
		for from := 0; from < len(all); from += 100 {
			if err := plantTickets(ctx, tx, all[from:min(from+100, len(all))]); err != nil {
				return err
			}
		}
		return nil
	})
}

func plantPeople(ctx context.Context, tx pgx.Tx) error {
	for n := range corpus.Organizations {
		if _, err := tx.Exec(ctx, "insert into crm.companies (company_no, client, title, labels, made_at, changed_at) values ($1, $2, $3, '{}', now(), now())",
			hostileFirst+n, hostile, fmt.Sprint("Company ", n)); err != nil {
			return err
		}
	}
	for n := range corpus.Persons {
		var company any
		if home := corpus.Home(n); home > 0 {
			company = hostileFirst + home
		}
		if _, err := tx.Exec(ctx, `insert into crm.people (person_no, client, company_no, last_name, mail, kind, banned, made_at, changed_at)
			values ($1, $2, $3, $4, $5, 'customer', false, now(), now())`,
			hostileFirst+n, hostile, company, fmt.Sprint("Person ", n), fmt.Sprintf("person%d@hostile.example", n)); err != nil {
			return err
		}
	}
	return plantOddPeople(ctx, tx)
}

func plantOddPeople(ctx context.Context, tx pgx.Tx) error {
	var b pgx.Batch
	for _, p := range corpus.People(hostileFirst) {
		tags := p.Tags
		if tags == nil {
			tags = []string{}
		}
		if p.Entity == "organizations" {
			b.Queue("insert into crm.companies (company_no, client, title, labels, made_at, changed_at) values ($1, $2, $3, $4, now(), now())",
				number(p.ID), hostile, p.Name, tags)
			continue
		}
		b.Queue(`insert into crm.people (person_no, client, company_no, last_name, mail, phone, labels, kind, banned, made_at, changed_at)
			values ($1, $2, $3, $4, nullif($5, ''), nullif($6, ''), $7, 'customer', false, now(), now())`,
			number(p.ID), hostile, orNull(p.Organization), p.Name, p.Email, p.Phone, tags)
	}
	return tx.SendBatch(ctx, &b).Close()
}

func plantTickets(ctx context.Context, tx pgx.Tx, tickets []judge.Ticket) error {
	var conversations, tags, messages [][]any
	for _, t := range tickets {
		no := number(t.ID)
		conversations = append(conversations, []any{
			no, hostile, number(t.Requester), orNull(t.Submitter), orNull(t.Organization), t.Subject,
			map[string]any{"solved": "answered", "open": "active"}[t.Status], map[string]any{"normal": 2}[t.Priority], map[string]any{"question": "ask"}[t.Type],
			map[string]string{"email": "mail", "chat": "livechat"}[t.Channel], field(t), moment(t.Created), moment(t.Updated), moment(t.Solved), numbers(t.CCs),
		})
		for _, tag := range t.Tags {
			tags = append(tags, []any{no, tag})
		}
		for _, c := range t.Comments {
			markup := "text"
			if c.HTML {
				markup = "html"
			}
			messages = append(messages, []any{number(c.ID), hostile, no, orNull(c.Author), !c.Public, c.Body, markup, moment(c.Created)})
		}
	}
	// The enumerations are no types that COPY's binary form knows here.
	for _, table := range []struct {
		insert string
		rows   [][]any
	}{
		{`insert into crm.conversations (conversation_no, client, opened_by, entered_by, company_no, title, progress, urgency, category, channel, product,
			opened_at, touched_at, answered_at, copied_to)
			values ($1, $2, $3, $4, $5, $6, $7::text::crm.progress, $8, $9::text::crm.category, $10::text::crm.channel, $11, $12, $13, $14, $15)`, conversations},
		{"insert into crm.conversation_tags values ($1, $2)", tags},
		{`insert into crm.messages (message_no, client, conversation_no, sent_by, internal, content, markup, sent_at)
			values ($1, $2, $3, $4, $5, $6, $7::text::crm.markup, $8)`, messages},
	} {
		var b pgx.Batch
		for _, row := range table.rows {
			b.Queue(table.insert, row...)
		}
		if err := tx.SendBatch(ctx, &b).Close(); err != nil {
			return err
		}
	}
	return nil
}

func number(id string) int64 {
	n, _ := strconv.ParseInt(id, 10, 64) // the corpus has numbers
	return n
}

func numbers(ids []string) []int64 {
	var all []int64
	for _, id := range ids {
		all = append(all, number(id))
	}
	return all
}

func orNull(id string) any {
	if id == "" {
		return nil
	}
	return number(id)
}

func moment(at *int64) any {
	if at == nil {
		return nil
	}
	return time.Unix(*at, 0).UTC()
}

func field(t judge.Ticket) any {
	if value, ok := t.Fields["360500000001"]; ok {
		return value
	}
	return nil
}
