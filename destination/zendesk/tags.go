package zendesk

import (
	"slices"
	"strings"
	"unicode"

	"farewell/migration"
)

// cleanTag makes a word a tag: lower case, and "_" for blanks, which separate
// tags in Zendesk.
func cleanTag(word string) string {
	word = strings.ToLower(strings.TrimSpace(word))
	if !strings.ContainsFunc(word, notInTag) {
		return word
	}
	return strings.Map(func(r rune) rune {
		if notInTag(r) {
			return '_'
		}
		return r
	}, word)
}

func notInTag(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || r == ',' }

func cleanTags(words []string) []string {
	var tags []string
	for _, w := range words {
		if t := cleanTag(w); t != "" && !slices.Contains(tags, t) {
			tags = append(tags, t)
		}
	}
	return tags
}

// PartitionTag is on every ticket of a partition, so that an operator can list
// them in the account.
func PartitionTag(partition string) string { return Tag + "_" + cleanTag(partition) }

// ticketTags are the record's own and ours.
func ticketTags(t *migration.Ticket, partitionTag string) []string {
	tags := cleanTags(t.Tags)
	for _, ours := range []string{Tag, partitionTag, channelTag(t.Channel)} {
		if ours != "" && !slices.Contains(tags, ours) {
			tags = append(tags, ours)
		}
	}
	return tags
}

func channelTag(channel string) string {
	if channel = cleanTag(channel); channel == "" {
		return ""
	}
	return "channel_" + channel
}
