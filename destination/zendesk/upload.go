package zendesk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"farewell/destination"
	"farewell/migration"
)

const (
	// uploadsAtATime is how many files of an account are on their way at a time,
	// over all lanes: enough for the largest common plan at a second each.
	uploadsAtATime = 10
	// uploadTries is how often a file is sent that the account did not answer
	// properly: what is uploaded twice only leaves a file that nobody uses, which
	// Zendesk deletes.
	uploadTries = 3
	// patientTries is how often at most, when it asks for a pause each time.
	patientTries = 20
	// assumedUploadLimit is the size of a file that accounts take when they do
	// not say another one: 50 MB.
	assumedUploadLimit = 50 << 20

	opUpload = "upload an attachment"
)

// uploads are what became of the attachments of some tickets before they go
// out. Each file has a token of its own: a second file under the same token
// would be there twice if the answer to its upload were lost.
type uploads struct {
	fates  []migration.FileFate
	tokens map[string]string // by attachment id
	oldest time.Time         // when the first of them was begun; zero: there is none
}

// uploadFiles fetches the files of the tickets and uploads them. What cannot be
// had, or is refused, is a fate; an error means that the account, or the place
// with the files, does not answer.
func (a *Account) uploadFiles(ctx context.Context, open destination.OpenFile, tickets []migration.Ticket) (uploads, error) {
	var files []migration.Attachment
	for i := range tickets {
		files = append(files, tickets[i].Files()...)
	}
	up := uploads{fates: make([]migration.FileFate, len(files)), tokens: make(map[string]string, len(files))}
	if len(files) == 0 {
		return up, nil
	}
	limit, err := a.uploadLimit.get(ctx)
	if err != nil {
		return up, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	up.oldest = time.Now()
	var on sync.WaitGroup
	var mu sync.Mutex
	for i := range files {
		on.Go(func() {
			leave, err := a.beginUpload(ctx)
			if err != nil {
				return
			}
			defer leave()
			u := uploading{Account: a, open: open, file: files[i], limit: limit}
			fate, token, err := u.run(ctx)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				cancel(err) // the first counts
			}
			up.fates[i] = fate
			if token != "" {
				up.tokens[files[i].ID] = token
			}
		})
	}
	on.Wait()
	return up, context.Cause(ctx)
}

// beginUpload waits for a place among the uploads.
func (a *Account) beginUpload(ctx context.Context) (leave func(), err error) {
	select {
	case a.uploading <- struct{}{}:
		return func() { <-a.uploading }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// uploading is one file on its way.
type uploading struct {
	*Account
	open  destination.OpenFile
	file  migration.Attachment
	limit int64
}

// run brings the file to its end, except for an error that says nothing about
// it.
func (u uploading) run(ctx context.Context) (fate migration.FileFate, token string, err error) {
	fate = migration.FileFate{ID: u.file.ID, TicketID: u.file.TicketID}
	made, err := u.repeat(ctx)
	var failed *destination.FileError
	switch {
	case err == nil:
		fate.TargetID, fate.Size, fate.SHA256 = string(made.Attachment.ID), made.size, made.sha256
		return fate, made.Token, nil
	case errors.As(err, &failed) && !failed.Passing:
		fate.Code, fate.Text = failed.Code, failed.Text
		return fate, "", nil
	case failed != nil:
		return fate, "", &destination.Error{
			Op: "fetch attachments", Kind: destination.Temporary, Code: destination.FilesUnreachable, RetryAfter: u.timings.LaneWait,
			Fix: "see that the place where the source keeps its files can be reached", Err: failed,
		}
	}
	return fate, "", err
}

// repeat uploads the file, and again when the account gives no proper answer. A
// file that the account stumbles over each time, while it takes others, is
// refused.
func (u uploading) repeat(ctx context.Context) (upload, error) {
	began, pause := time.Now(), retryPause
	if u.file.Size > u.limit {
		return upload{}, u.tooLarge()
	}
	for try := 1; ; try++ {
		made, err := u.once(ctx)
		switch kind := destination.KindOf(err); {
		case kind == destination.TooLarge:
			return made, u.tooLarge()
		case kind == destination.Refused:
			return made, refusedFile("the account refuses it: the type may be one that it does not allow", err)
		case kind != destination.Temporary || notOfTheFile(err):
			return made, err
		case retryIn(err) > 0 && try < patientTries:
			continue // the pace waits as long as was asked, or says that it is too long
		case try >= uploadTries && u.uploaded.since(began):
			return made, refusedFile("the account stumbles over it, and takes others", err)
		case try >= uploadTries:
			return made, err
		}
		if err := sleep(ctx, jitter(pause)); err != nil {
			return upload{}, err
		}
		pause *= 4
	}
}

// notOfTheFile tells errors that come before anything is sent.
func notOfTheFile(err error) bool {
	var e *destination.Error
	return errors.As(err, &e) && (e.Code == "budget" || e.Code == "egress")
}

func (u uploading) tooLarge() error {
	return &destination.FileError{Code: migration.FileTooLarge, Text: fmt.Sprintf("the account takes files of up to %d bytes", u.limit)}
}

func refusedFile(text string, err error) error {
	var r *refusal
	if errors.As(err, &r) {
		text += " (" + r.Error() + ")"
	}
	return &destination.FileError{Code: migration.FileRefused, Text: text, Err: err}
}

// upload is Zendesk's answer
// (https://developer.zendesk.com/api-reference/ticketing/tickets/ticket-attachments/).
type upload struct {
	Token      string `json:"token"`
	Attachment struct {
		ID   id     `json:"id"`
		Size *int64 `json:"size"`
	} `json:"attachment"`

	size   int64 // of what was sent
	sha256 string
}

// once sends the file once. The request's place in the pace is taken before the
// file is opened, since neither a database nor a file server likes to wait.
func (u uploading) once(ctx context.Context) (made upload, err error) {
	reserved := func(ctx context.Context, a migration.Attachment) (destination.File, error) {
		if err := u.pace.reserve(ctx); err != nil {
			return destination.File{}, err
		}
		f, err := u.open(ctx, a)
		if err != nil {
			u.pace.giveBack()
		}
		return f, err
	}
	err = destination.TakeFile(ctx, reserved, u.file, func(f destination.File) error {
		if f.Size > u.limit {
			u.pace.giveBack()
			return u.tooLarge()
		}
		made, err = u.send(ctx, f)
		return err
	})
	return made, err
}

func (u uploading) send(ctx context.Context, f destination.File) (upload, error) {
	if f.Size == 0 { // whose body nobody would read
		if _, err := f.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			u.pace.giveBack()
			return upload{}, err
		}
	}
	if err := u.pace.use(ctx); err != nil {
		return upload{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, u.timings.FileWithin)
	defer cancel()
	body := &content{from: f, limit: u.limit, still: u.timings.FileStill, cancel: cancel, hash: sha256.New()}
	ans, err := u.post(ctx, call{
		op:       opUpload,
		method:   http.MethodPost,
		path:     "/api/v2/uploads",
		query:    url.Values{"filename": {u.fileName()}},
		form:     mimeType(u.file.ContentType),
		content:  body,
		size:     f.Size,
		within:   u.timings.FileWithin,
		harmless: true,
	})
	sent, failed := body.end()
	switch {
	case errors.Is(failed, errOverLimit):
		return upload{}, u.tooLarge()
	case failed != nil:
		return upload{}, failed // the request was broken off because of it
	case err != nil:
		return upload{}, u.renewedCredentials(ans, err)
	}
	var answered struct {
		Upload upload `json:"upload"`
	}
	if err := json.Unmarshal(ans.body, &answered); err != nil || answered.Upload.Token == "" {
		return upload{}, &destination.Error{Op: opUpload, Kind: destination.Temporary, Code: "no token in the answer", Err: statusError(ans, problem{})}
	}
	if size := answered.Upload.Attachment.Size; size != nil && *size != sent {
		return upload{}, &destination.Error{Op: opUpload, Kind: destination.Temporary, Code: "size differs", Err: fmt.Errorf("the account has %d bytes of %d", *size, sent)}
	}
	u.uploaded.note()
	answered.Upload.size, answered.Upload.sha256 = sent, hex.EncodeToString(body.hash.Sum(nil))
	return answered.Upload, nil
}

// filesNote begins the comment that names what a ticket lacks.
const filesNote = "Not migrated with this ticket:\n"

// note is the text of the private comment that names what a ticket lacks; empty:
// nothing.
func (up uploads) note(t *migration.Ticket) string {
	names := make(map[string]string)
	for _, f := range t.Files() {
		names[f.ID] = fileName(f)
	}
	var b strings.Builder
	for _, f := range up.fates {
		if f.TicketID != t.ID || f.Code == "" {
			continue
		}
		if b.Len() == 0 {
			b.WriteString(filesNote)
		}
		fmt.Fprintf(&b, "- attachment %s (id %s): %s\n", strconv.Quote(names[f.ID]), f.ID, f.Text)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// leave gives up the files of comments that the ticket has no place for.
func (up uploads) leave(lines []line) {
	left := map[string]bool{}
	for i := range lines {
		if len(lines[i].uploads) > 0 {
			for _, f := range lines[i].from.Attachments {
				left[f.ID] = true
			}
		}
	}
	for i := range up.fates {
		if f := &up.fates[i]; left[f.ID] && f.Code == "" {
			*f = migration.FileFate{ID: f.ID, TicketID: f.TicketID, Code: migration.FileWithoutComment, Text: "its comment is beyond the most that a ticket takes"}
		}
	}
}

// of lists the tokens of attachments, in their order.
func (up uploads) of(files []migration.Attachment) []string {
	var tokens []string
	for _, f := range files {
		if token := up.tokens[f.ID]; token != "" {
			tokens = append(tokens, token)
		}
	}
	return tokens
}

// lastTime is when something last went well.
type lastTime struct {
	mu sync.Mutex
	at time.Time
}

func (l *lastTime) note() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.at = time.Now()
}

func (l *lastTime) since(t time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.at.After(t)
}
