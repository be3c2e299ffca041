package csvbundle

import (
	"regexp"
	"strings"
	"testing"

	"farewell/migration"
)

// takenEverywhere is what every file system, unpacker and manifest takes.
var takenEverywhere = regexp.MustCompile(`^data/attachments/[0-9a-z-]{1,40}/[0-9a-z-]{1,40}_[0-9A-Za-z]([0-9A-Za-z.-]{0,78}[0-9A-Za-z])?$`)

func TestAttachmentPathsAreTakenByEveryFileSystem(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, ticket, id, file, want string }{
		{"an ordinary one", "12", "345", "invoice.pdf", "data/attachments/12/345_invoice.pdf"},
		{"uuids", "0b2c1a52-0c5e-4f6e-8a3f-0123456789ab", "9", "a b.txt", "data/attachments/0b2c1a52-0c5e-4f6e-8a3f-0123456789ab/9_a-b.txt"},
		{"no name", "1", "2", "", "data/attachments/1/2_file"},
		{"only dots", "1", "2", "...", "data/attachments/1/2_file"},
		{"a way out", "1", "2", "../../../etc/passwd", "data/attachments/1/2_etc-passwd"},
		{"another way out", "1", "2", `..\..\boot.ini`, "data/attachments/1/2_boot.ini"},
		{"ids that lead out", "../..", "/etc", "x", ""},
		{"an id in upper case", "A", "B", "x", ""},
		{"a device as a ticket", "con", "2", "x", ""},
		{"a numbered device", "lpt1", "2", "x", ""},
		{"no device", "com", "2", "x", "data/attachments/com/2_x"},
		{"an id like ours", "id-1", "2", "x", ""},
		{"an empty id", "", "", "x", ""},
		{"a long id", strings.Repeat("1", 41), "2", "x", ""},
		{"beyond ASCII", "1", "2", "Größe 截图.xlsx", "data/attachments/1/2_Gr-e.xlsx"},
		{"nothing in ASCII", "1", "2", "截图", "data/attachments/1/2_file"},
		{"control characters", "1", "2", "a\x00b\r\nc\x7f.txt", "data/attachments/1/2_a-b-c.txt"},
		{"a stream of Windows", "1", "2", "a.txt:hidden", "data/attachments/1/2_a.txt-hidden"},
		{"a dot at its end", "1", "2", "a.txt. . ", "data/attachments/1/2_a.txt"},
		{"bytes that are no text", "1", "2", "a\xff\xfe.txt", "data/attachments/1/2_a.txt"},
		{"a long name", "1", "2", strings.Repeat("n", 300) + ".pdf", "data/attachments/1/2_" + strings.Repeat("n", 76) + ".pdf"},
		{"a long ending", "1", "2", "a." + strings.Repeat("e", 300), "data/attachments/1/2_a." + strings.Repeat("e", 78)},
	} {
		got := attachmentPath(migration.Attachment{ID: tc.id, TicketID: tc.ticket, FileName: tc.file})
		if tc.want != "" && got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
		if tc.want == "" && !strings.Contains(got, "/"+hashedID) {
			t.Errorf("%s: %s has the ids as they are", tc.name, got)
		}
		if !takenEverywhere.MatchString(got) || len(got) > 190 {
			t.Errorf("%s: %q is not a path for every file system", tc.name, got)
		}
	}
}

func TestAttachmentPathsOfTwoIDsNeverMeet(t *testing.T) {
	t.Parallel()
	seen := map[string][2]string{}
	ids := []string{"1", "1_2", "1-2", "a", "A", "ä", "á", "a\u0301", "", " ", "id-", "con", "CON", "../1", "1/2", "=1", "'=1", hashedID + digestOf("A").SHA256[:32], strings.Repeat("x", 41), strings.Repeat("x", 42)}
	for _, ticket := range ids {
		for _, id := range ids {
			for _, name := range []string{"x", "2_x", "-x", ""} {
				path := strings.ToLower(attachmentPath(migration.Attachment{ID: id, TicketID: ticket, FileName: name}))
				if other, twice := seen[path]; twice && other != [2]string{ticket, id} {
					t.Errorf("%q and %q both give %s", other, [2]string{ticket, id}, path)
				}
				seen[path] = [2]string{ticket, id}
			}
		}
	}
}
