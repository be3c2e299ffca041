package csvbundle

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"farewell/migration"
)

// kept is the file of an attachment that a try of a part has fetched. It lies
// beside the tries, in the part's folder of kept files, so that a later try
// need not fetch it again. Its name says what it is and what is in it.
type kept struct {
	attachment string // keptID of it
	digest
}

// keptFolder names, as if it were a try, where the kept files of a part lie.
func keptFolder(part string) string { return part + ".files" }

// keptID stands for an attachment in the names of kept files, whatever its id.
func keptID(id string) string { return digestOf(id).SHA256[:32] }

func (k kept) name() string {
	return k.attachment + "-" + k.SHA256 + "-" + strconv.FormatInt(k.Bytes, 10)
}

// parseKept reads a name. false: it is none of ours.
func parseKept(name string) (k kept, ok bool) {
	words := strings.Split(name, "-")
	if len(words) != 3 || len(words[0]) != 32 || len(words[1]) != 64 {
		return k, false
	}
	bytes, err := strconv.ParseInt(words[2], 10, 64)
	k = kept{attachment: words[0], digest: digest{Bytes: bytes, SHA256: words[1]}}
	return k, err == nil && k.name() == name
}

// is tells whether these are the bytes that the source speaks of, as far as it
// does.
func (k kept) is(a migration.Attachment) bool {
	return (a.Size <= 0 || a.Size == k.Bytes) && (a.SHA256 == "" || strings.EqualFold(a.SHA256, k.SHA256))
}

// keptFiles lists what earlier tries of a part have fetched, by keptID.
func (b *Bundle) keptFiles(ctx context.Context, part string) (map[string][]kept, error) {
	names, err := b.vault.keptNames(ctx, part)
	if err != nil {
		return nil, fmt.Errorf("list the files that were fetched before: %w", err)
	}
	all := make(map[string][]kept, len(names))
	for _, name := range names {
		if k, ok := parseKept(name); ok {
			all[k.attachment] = append(all[k.attachment], k)
		}
	}
	return all, nil
}
