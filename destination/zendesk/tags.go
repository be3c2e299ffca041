package zendesk

import "slices"

func cleanTags(words []string) []string {
	var tags []string
	for _, w := range words {
		tags = addTag(tags, cleanTag(w))
	}
	return tags
}

// PartitionTag is on every ticket of a partition, so that an operator can list
// them in the account.
func PartitionTag(partition string) string { return Tag + "_" + cleanTag(partition) }

// addTag adds a tag that is one, once.
func addTag(tags []string, tag string) []string {
	if tag == "" || slices.Contains(tags, tag) {
		return tags
	}
	return append(tags, tag)
}

func channelTag(channel string) string {
	if channel = cleanTag(channel); channel == "" {
		return ""
	}
	return "channel_" + channel
}
