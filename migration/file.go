package migration

// FileKind is where the bytes of an attachment are.
type FileKind string

// The kinds of places.
const (
	FileStored   FileKind = "content" // in the source's own database
	FileInBucket FileKind = "blob"    // in the bucket with the customers' files
	FileAtURL    FileKind = "url"
	FileNowhere  FileKind = "nowhere" // the source does not say
)

// FilePlace sums up the attachments of a customer whose bytes are in one place.
type FilePlace struct {
	Kind    FileKind
	Origin  string // of URLs: scheme, host and port, in lower case; empty: it has none
	Files   int64
	Bytes   int64 // as far as the source says
	Largest int64
}

// Kind tells where the attachment's bytes are.
func (a Attachment) Kind() FileKind {
	switch {
	case a.Stored:
		return FileStored
	case a.BlobKey != "":
		return FileInBucket
	case a.URL != "":
		return FileAtURL
	}
	return FileNowhere
}

// FileFate is what became of an attachment before its ticket goes out.
type FileFate struct {
	ID       string `json:"id"`
	TicketID string `json:"ticket"`
	TargetID string `json:"target,omitempty"` // in the account, where that says
	Code     string `json:"code,omitempty"`   // why the ticket goes without it; empty: it is with the ticket
	Text     string `json:"text,omitempty"`   // for a person

	// Size and SHA256 (hexadecimal) are of the bytes that were uploaded; earlier
	// versions did not keep them. No sum: they are not known.
	Size   int64  `json:"size,omitempty"`
	SHA256 string `json:"sha256,omitempty"`
}

// Item is the attachment's outcome, given that of its ticket. NotSent: another
// batch takes the ticket, and decides.
func (f FileFate) Item(ticket Outcome) Item {
	item := Item{SourceID: f.ID, Outcome: ticket, TargetID: f.TargetID, Code: f.Code, Text: f.Text}
	switch {
	case ticket == NotSent:
		return Item{SourceID: f.ID, Outcome: NotSent}
	case ticket == Failed || ticket == Skipped:
		item.Outcome, item.TargetID, item.Code, item.Text = Skipped, "", FileWithoutTicket, "its ticket is not in the account"
	case f.Code == "":
	case f.Code == FileOriginNotAllowed || f.Code == FilePlaceUnknown || f.Code == FileWithoutComment || f.Code == FileTooLarge:
		item.Outcome, item.TargetID = Skipped, ""
	default:
		item.Outcome, item.TargetID = Failed, ""
	}
	return item
}

// Reasons why an attachment is not in the account: stable words for scripts.
const (
	FileNotFound         = "file_not_found"          // the place where it should be does not have it
	FilePlaceUnknown     = "file_place_unknown"      // the source does not say where it is
	FileOriginNotAllowed = "file_origin_not_allowed" // the configuration does not name where it is
	FileTooLarge         = "file_too_large"          // for the account
	FileCutShort         = "file_cut_short"          // the source gave fewer bytes than it says there are
	FileDiffers          = "file_differs"            // the source gave other bytes than its SHA-256 says, or more
	FileUnavailable      = "file_unavailable"        // the source refuses it
	FileUnmeasured       = "file_unmeasured"         // neither the source nor its answer says how large it is
	FileRefused          = "file_refused"            // by the account
	FileExpired          = "file_expired"            // uploaded, and its ticket came too late for it
	FileWithoutComment   = "comment_not_delivered"   // the comment that it belongs to was left out
	FileWithoutTicket    = "ticket_not_delivered"    // the ticket that it belongs to failed or was skipped
)
