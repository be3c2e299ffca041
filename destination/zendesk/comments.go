package zendesk

import (
	"context"
	"net/url"
	"strconv"
	"time"
)

// commentPage is how many comments one request reads
// (https://developer.zendesk.com/api-reference/ticketing/tickets/ticket_comments/#list-comments).
const commentPage = 100

// readComment is a comment as the account shows it.
type readComment struct {
	AuthorID    id         `json:"author_id"`
	Body        string     `json:"body"`
	HTMLBody    string     `json:"html_body"`
	Public      bool       `json:"public"`
	CreatedAt   time.Time  `json:"created_at"`
	Attachments []readFile `json:"attachments"`
}

// comments reads a page of a ticket's comments, oldest first, and tells where
// the next one begins: empty at the end.
func (a *Account) comments(ctx context.Context, target, after string) (page []readComment, next string, err error) {
	op := "read the comments of ticket " + target
	query := url.Values{"page[size]": {strconv.Itoa(commentPage)}}
	if after != "" {
		query.Set("page[after]", after)
	}
	var list struct {
		Comments []readComment `json:"comments"`
		Meta     meta          `json:"meta"`
	}
	if err := a.get(ctx, op, "/api/v2/tickets/"+url.PathEscape(target)+"/comments", query, decodeInto(&list)); err != nil {
		return nil, "", err
	}
	next, err = list.Meta.next(op)
	return list.Comments, next, err
}

// CountFiles counts the attachments of a ticket's comments, a request for each
// 100 of these.
func (a *Account) CountFiles(ctx context.Context, targetID string) (int, error) {
	for n, after := 0, ""; ; {
		page, next, err := a.comments(ctx, targetID, after)
		if err != nil {
			return 0, err
		}
		for i := range page {
			n += len(page[i].Attachments)
		}
		if after = next; after == "" {
			return n, nil
		}
	}
}
