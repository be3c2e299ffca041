package zendesk

import (
	"mime"
	"path"
	"strings"

	"farewell/migration"
)

// fileName is the name under which the file goes out.
func (u uploading) fileName() string {
	if u.off[migration.RuleFileRenamed] {
		return u.file.FileName
	}
	return fileName(u.file)
}

// longestFileName is what file systems and Zendesk's own form take.
const longestFileName = 255

// fileName is the attachment's name without what no name may hold.
func fileName(a migration.Attachment) string {
	name := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(a.FileName, "\ufffd"))
	if name = strings.TrimSpace(name); name == "" {
		return "attachment-" + a.ID
	}
	if len(name) <= longestFileName {
		return name
	}
	ending := path.Ext(name)
	if len(ending) > 20 {
		ending = ""
	}
	short := name[:longestFileName-len(ending)]
	return strings.ToValidUTF8(short, "") + ending
}

// mimeType is the file's own, or that of any bytes.
func mimeType(said string) string {
	if _, _, err := mime.ParseMediaType(said); err != nil {
		return "application/octet-stream"
	}
	return said
}
