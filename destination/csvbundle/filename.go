package csvbundle

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"farewell/migration"
)

// attachmentsFolder holds the files of attachments, a folder for each ticket.
const attachmentsFolder = dataFolder + "/attachments"

// longestFileName bounds what of a file's own name stays in a bundle: together
// with two ids and the folders, a path has at most 190 bytes, which leaves room
// in the 260 that Windows allows by default.
const (
	longestFileName  = 80
	longestExtension = 16
)

// attachmentPath is where the file of an attachment lies in a bundle. It
// follows from the ids and the name; two ids never give the same path, not even
// where case does not count, and any file system and any unpacker takes it. The
// ids are the source's own.
func attachmentPath(a migration.Attachment) string {
	return attachmentsFolder + "/" + pathID(a.TicketID) + "/" + pathID(a.ID) + "_" + plainFileName(a.FileName)
}

// plainID is an id that stands in a path as it is. It has no upper case, which
// some file systems do not tell from lower case, and no underline, which ends it.
var plainID = regexp.MustCompile(`^[0-9a-z][0-9a-z-]{0,39}$`)

// hashedID begins what stands for any other id.
const hashedID = "id-"

// pathID is an id as a part of a path.
func pathID(id string) string {
	if plainID.MatchString(id) && !strings.HasPrefix(id, hashedID) && !isReserved(id) {
		return id
	}
	return hashedID + digestOf(id).SHA256[:32]
}

// isReserved tells names of devices, which Windows lets no file have:
// https://learn.microsoft.com/en-us/windows/win32/fileio/naming-a-file.
func isReserved(name string) bool {
	if slices.Contains([]string{"con", "prn", "aux", "nul"}, name) {
		return true
	}
	return len(name) == 4 && (strings.HasPrefix(name, "com") || strings.HasPrefix(name, "lpt")) && name[3] >= '0' && name[3] <= '9'
}

// notInFileNames is what a file's name in a bundle has no place for. Letters
// beyond ASCII are among it: programs spell them in several ways, and a
// manifest lists one.
var notInFileNames = regexp.MustCompile(`[^0-9A-Za-z.]+`)

// plainFileName is what of a file's own name helps a person and harms nobody.
// The name itself is in attachments.csv.
func plainFileName(name string) string {
	ending := path.Ext(name)
	plainEnding := trimmed(notInFileNames.ReplaceAllString(ending, "-"))
	if plainEnding == "" || len(plainEnding) > longestExtension {
		ending, plainEnding = "", ""
	} else {
		plainEnding = "." + plainEnding
	}
	stem := trimmed(notInFileNames.ReplaceAllString(strings.TrimSuffix(name, ending), "-"))
	if stem == "" {
		stem = "file"
	}
	return trimmed(stem[:min(len(stem), longestFileName-len(plainEnding))]) + plainEnding
}

// trimmed takes what must not stand at the end of a name, or at its beginning,
// away.
func trimmed(name string) string { return strings.Trim(name, "-.") }
