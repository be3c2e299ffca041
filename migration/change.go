package migration

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// Rule names what was done to a field so that the destination takes it. Each
// rule is documented in docs/fidelity.md; the names are promised to scripts.
type Rule string

// The rules about tickets and their comments.
const (
	RuleSubjectCut       Rule = "subject_cut"       // longer than the destination takes: cut, the whole of it in a private comment
	RuleSubjectKept      Rule = "subject_kept"      // that private comment, which the source does not have
	RuleFilesNamed       Rule = "files_named"       // a private comment that names the attachments which are not with the ticket
	RuleFileRenamed      Rule = "file_renamed"      // an attachment's name that no name can be, or longer than file systems take
	RuleTextCleaned      Rule = "text_cleaned"      // NUL, control characters or bytes that are no text: replaced
	RuleBodySplit        Rule = "body_split"        // longer than the destination takes: several comments, one after the other
	RuleBodyBlank        Rule = "body_blank"        // blank, which is refused: a word that says so
	RuleNoMessages       Rule = "no_messages"       // a ticket without any comment: one that says so
	RuleCommentsOver     Rule = "comments_over"     // a comment beyond the most of a ticket: left out here, kept in a file
	RuleTagCleaned       Rule = "tag_cleaned"       // capitals, or a character that no tag may have; a blank one: left out
	RuleStatusMissing    Rule = "status_missing"    // the source has none, for which the account has a default
	RuleTimeMissing      Rule = "time_missing"      // the source has none, for which the account would put in the time of the import
	RuleTimeEarly        Rule = "time_early"        // before 1970
	RuleTimeFuture       Rule = "time_future"       // later than the account's clock
	RuleTimeOrder        Rule = "time_order"        // comments out of order or at the same second, or a ticket younger than its comments
	RulePersonReplaced   Rule = "person_replaced"   // not known, or refused by the account: somebody stands in
	RuleAgentReplaced    Rule = "agent_replaced"    // an agent of the source who is none in the account: another agent stands in
	RuleOrganizationLeft Rule = "organization_left" // not known, or of a requester who was replaced: left out, and the account puts in the requester's own
	RuleCCsOver          Rule = "ccs_over"          // a CC more than the destination takes: left out
	RuleCCLeft           Rule = "cc_left"           // a CC who is not known, or refused by the account: left out
)

// Further rules about users and organizations.
const (
	RuleSpaceTrimmed Rule = "space_trimmed" // white space around a name, an address or a number
	RuleNameMissing  Rule = "name_missing"  // a blank name: the e-mail address, or a word
	RuleNameCut      Rule = "name_cut"      // longer than the destination takes
)

// The rules of a mapping file. What else it translates is no change: the
// operator said what it should become.
const (
	RuleFieldDropped Rule = "field_dropped" // a field without a place in the account
	RuleValueDropped Rule = "value_dropped" // a word or value without a place in the account
	RuleValueCut     Rule = "value_cut"     // a time, of which a date field takes the day
	RuleStatusOpened Rule = "status_opened" // a new ticket to which the mapping gives an assignee is open
	RuleTagDropped   Rule = "tag_dropped"   // left out as the mapping says
	RuleMappingNote  Rule = "mapping_note"  // the private comment that keeps what has no place, which the source does not have
)

// Change is one difference between a field's value at the source and what was
// sent. It holds no content, so that it may be listed anywhere.
//
// The changes of one value form a chain: the first Before is the hash of the
// value at the source, each further one continues from the After before it, and
// the last After is the hash of what the destination shows when it is read
// back. A value that the source does not have, or that is left out, is the
// empty text.
type Change struct {
	Entity   Entity `json:"entity"`
	SourceID string `json:"source_id"` // of the record; what belongs to it is told by Part
	Field    string `json:"field"`     // name, or kind and name: "subject", "comments.body", "tags"
	// Part tells which of several values of the field: the source id of a
	// comment or file, the place of a tag or CC (from 0), with "+n" the n-th
	// further comment that one of the source became. Empty: there is only one.
	Part   string `json:"part"`
	Rule   Rule   `json:"rule"`
	Before string `json:"before"` // HashText or HashTime of the value
	After  string `json:"after"`
}

// ChangeCount is how often a rule was applied to a field.
type ChangeCount struct {
	Entity Entity `json:"entity"`
	Field  string `json:"field"`
	Rule   Rule   `json:"rule"`
	Count  int64  `json:"count"`
}

// HashText is the SHA-256 of a text's bytes, hexadecimal. Ids and numbers are
// hashed as the text that shows them, custom fields as their JSON.
func HashText(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// HashTime is HashText of the time in whole seconds of UTC, such as
// 2006-01-02T15:04:05Z: destinations store no fractions, and to cut those is no
// change. The zero time is the empty text.
func HashTime(t time.Time) string {
	if t.IsZero() {
		return HashText("")
	}
	return HashText(t.UTC().Format("2006-01-02T15:04:05Z"))
}
