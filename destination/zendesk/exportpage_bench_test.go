package zendesk

import (
	"fmt"
	"strings"
	"testing"
)

// benchPage is a page of the export as an account with three custom fields has it.
func benchPage(tickets int) string {
	var b strings.Builder
	b.WriteString(`{"tickets":[`)
	for i := range tickets {
		if i > 0 {
			b.WriteByte(',')
		}
		fields := `[{"id":360000000101,"value":"EU-West"},{"id":360000000102,"value":null},{"id":360000000103,"value":["a","b"]}]`
		fmt.Fprintf(&b, `{"url":"https://acme.zendesk.invalid/api/v2/tickets/%[1]d.json","id":%[1]d,"external_id":"farewell-%[1]d",`+
			`"via":{"channel":"api","source":{"from":{},"to":{},"rel":null}},"created_at":"2019-03-01T10:00:00Z","updated_at":"2019-03-02T10:00:00Z","generated_timestamp":1700000000,`+
			`"type":null,"subject":"Printer burns %[1]d","raw_subject":"Printer burns %[1]d","description":"%[2]s","priority":"high","status":"closed","recipient":null,`+
			`"requester_id":380000012345,"submitter_id":380000012345,"assignee_id":380000000001,"organization_id":370000000017,"group_id":null,"collaborator_ids":[],"follower_ids":[],"email_cc_ids":[],`+
			`"forum_topic_id":null,"problem_id":null,"has_incidents":false,"is_public":true,"due_at":null,"tags":["channel_email","farewell","farewell-tickets-12"],"custom_fields":%[3]s,"fields":%[3]s,`+
			`"satisfaction_rating":null,"sharing_agreement_ids":[],"custom_status_id":null,"ticket_form_id":null,"brand_id":360000000001,"followup_ids":[],`+
			`"allow_channelback":false,"allow_attachments":true,"from_messaging_channel":false}`,
			1_000_000+i, strings.Repeat(`The printer on the third floor\nburns again; \"help\" — thank you. `, 3), fields)
	}
	b.WriteString(`],"after_url":"https://acme.zendesk.invalid/api/v2/incremental/tickets/cursor.json?cursor=eyJuIjoxMDAwfQ==","after_cursor":"eyJuIjoxMDAwfQ==","before_url":null,"before_cursor":null,"end_of_stream":false}`)
	return b.String()
}

func BenchmarkExportPage(b *testing.B) {
	text := benchPage(1000)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	var page exported
	reader := newJSONReader(exportRoom)
	for b.Loop() {
		if err := page.read(reader, strings.NewReader(text), "farewell-"); err != nil || len(page.Ours) != 1000 {
			b.Fatal(err, len(page.Ours))
		}
	}
}
