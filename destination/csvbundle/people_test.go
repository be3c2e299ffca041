package csvbundle

import (
	"maps"
	"slices"
	"testing"

	"farewell/migration"
)

// A ticket names somebody who is made later, somebody whom the source does not
// have, and an organization; an attachment names a comment that is hidden.
func TestEveryForeignKeyHolds(t *testing.T) {
	t.Parallel()
	for name, query := range map[string]string{"folder": "", "zip": "?format=zip", "gzip": "?compress=gzip", "raw": "?raw=true"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := openAt(t, "file://"+t.TempDir()+query)
			all := columns()
			all["tickets"] = []migration.Column{{Name: "id", Type: "string"}, {Name: "requester_id", Type: "string"}, {Name: "organization_id", Type: "string"}}
			tickets, users, later := makePart(1, 0, "", ""), makePart(2, 0, "", ""), makePart(3, 0, "", "")
			for _, p := range []*part{&tickets, &users, &later} {
				p.in.Columns = all
			}
			users.in.Partition.ID, later.in.Partition.ID = "users-0001", "users-on-demand"
			write := func(p part, views []string, texts map[string]string) {
				t.Helper()
				if _, err := writeTexts(t.Context(), b, p.in, views, texts); err != nil {
					t.Fatal(err)
				}
			}
			write(tickets, []string{"tickets", "ticket_tags", "comments", "attachments"}, map[string]string{
				"tickets":     "1,u1,=o\n2,=later,\n3,\"un,known\",\n",
				"comments":    "11,1,x\n",
				"attachments": "5,1,11\n6,2,hidden\n",
			})
			write(users, []string{"users"}, map[string]string{"users": "u1,,Ann\n"})
			in := publishInput(users, tickets)
			in.Columns = all

			missing, err := b.Missing(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			if u, o := missing[migration.Users], missing[migration.Organizations]; !slices.Equal(u, []string{"=later", "un,known"}) && !slices.Equal(u, []string{"un,known", "=later"}) || !slices.Equal(o, []string{"=o"}) {
				t.Fatalf("missing are %q", missing)
			}
			write(later, []string{"users"}, map[string]string{"users": "=later,,Late\n"})
			in.Parts = append(in.Parts, later.ref())
			published, err := b.Publish(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]int64{"organizations": 1, "users": 3, "tickets": 3, "ticket_tags": 0, "comments": 2, "attachments": 2}
			if !maps.Equal(published.Rows, want) {
				t.Errorf("published %v, want %v", published.Rows, want)
			}
			found := wantValid(t, files(b).where())
			if found.Rows["errors"] != 3 {
				t.Errorf("%d faults are listed, want the unknown user, the organization and the comment", found.Rows["errors"])
			}
		})
	}
}
