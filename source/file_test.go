package source

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"reflect"
	"testing"

	"farewell/migration"
)

func TestAFileInTheDatabaseIsReadInSlices(t *testing.T) {
	t.Parallel()
	for name, of := range idTypes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, name)
			want := make([]byte, 100_001)
			_, _ = rand.NewChaCha8([32]byte{1}).Read(want) // never fails
			f.exec(`alter table farewell.attachments add content bytea`)
			f.exec(`insert into farewell.attachments (customer_id, id, ticket_id, content) select 'acme', `+of+`, `+of+`, $1 from generate_series(1, 1) n`, want)
			ticket := f.column(`select id::text from farewell.attachments`)[0]
			files := must(f.Attachments(t.Context(), "acme", []string{ticket}))(t)[ticket]
			if len(files) != 1 || !files[0].Stored || files[0].Kind() != migration.FileStored {
				t.Fatalf("attachments %+v: want one whose bytes are in the database", files)
			}
			about, there, err := f.StatFile(t.Context(), "acme", files[0])
			sum := sha256.Sum256(want)
			if err != nil || !there || about.Size != int64(len(want)) || about.SHA256 != hex.EncodeToString(sum[:]) {
				t.Errorf("measured %+v, there %t, %v", about, there, err)
			}
			var got []byte
			for {
				slice := must(f.ReadFile(t.Context(), "acme", files[0], int64(len(got)), 30_000))(t)
				if len(slice) == 0 {
					break
				}
				got = append(got, slice...)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%d bytes, and not those of the database", len(got))
			}
			f.exec(`update farewell.attachments set content = null`)
			if _, there, err := f.StatFile(t.Context(), "acme", files[0]); there || err != nil {
				t.Errorf("a file that is gone: there %t, %v", there, err)
			}
		})
	}
}

func TestAttachmentsSayWhereTheirBytesAre(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "bigint")
	f.exec(`alter table farewell.attachments add content bytea, add blob_key text, add sha256 text;
		insert into farewell.tickets (customer_id, id) values ('acme', 1);
		insert into farewell.attachments (customer_id, id, ticket_id, size, url, blob_key, content, sha256) values
			('acme', 1, 1, 10, 'https://Files.example.com/a?b#c', null, null, 'ab'),
			('acme', 2, 1, 20, 'https://files.example.com', null, null, null),
			('acme', 3, 1, 30, 'file:///etc/passwd', 'k', null, null),
			('acme', 4, 1, null, 'nonsense', '', null, null),
			('acme', 5, 1, 50, '', null, 'x', null),
			('acme', 6, 1, 60, null, null, null, null),
			('acme', 7, 1, 70, 'https://ann:geheim@files.example.com\a', null, null, null)`)
	page := must(f.Page(t.Context(), PageQuery{Customer: "acme", Partition: tickets("", ""), Limit: 10}))(t)
	if got := page.Tickets[0].Attachments; len(got) != 7 || len(page.Tickets[0].Comments) != 0 {
		t.Fatalf("%d attachments of a ticket without comments, want 7", len(got))
	}
	want := migration.Attachment{ID: "1", TicketID: "1", Size: 10, URL: "https://Files.example.com/a?b#c", SHA256: "ab"}
	if got := page.Tickets[0].Files()[0]; got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	var kinds []migration.FileKind
	for _, a := range page.Tickets[0].Attachments {
		kinds = append(kinds, a.Kind())
	}
	if want := []migration.FileKind{"url", "url", "blob", "url", "content", "nowhere", "url"}; !reflect.DeepEqual(kinds, want) {
		t.Errorf("kinds %v, want %v", kinds, want)
	}
	places := must(f.FilePlaces(t.Context(), "acme"))(t)
	wantPlaces := []migration.FilePlace{
		{Kind: "url", Origin: "https://files.example.com", Files: 2, Bytes: 30, Largest: 20},
		{Kind: "blob", Files: 1, Bytes: 30, Largest: 30},
		{Kind: "content", Files: 1, Bytes: 50, Largest: 50},
		{Kind: "nowhere", Files: 1, Bytes: 60, Largest: 60},
		{Kind: "url", Origin: "", Files: 1},
		{Kind: "url", Origin: "https://***@files.example.com", Files: 1, Bytes: 70, Largest: 70},
	}
	if !reflect.DeepEqual(places, wantPlaces) {
		t.Errorf("places\n%+v, want\n%+v", places, wantPlaces)
	}
}

func TestAViewMayLackWhatOnlySomeSourcesHave(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "bigint")
	f.exec(`alter table farewell.attachments drop size, drop url;
		insert into farewell.tickets (customer_id, id) values ('acme', 1);
		insert into farewell.attachments (customer_id, id, ticket_id, file_name) values ('acme', 1, 1, 'a.pdf')`)
	page := must(f.Page(t.Context(), PageQuery{Customer: "acme", Partition: tickets("", ""), Limit: 10}))(t)
	want := []migration.Attachment{{ID: "1", TicketID: "1", FileName: "a.pdf"}}
	if got := page.Tickets[0].Attachments; !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	places := must(f.FilePlaces(t.Context(), "acme"))(t)
	if want := []migration.FilePlace{{Kind: "nowhere", Files: 1}}; !reflect.DeepEqual(places, want) {
		t.Errorf("places %+v, want %+v", places, want)
	}
}
