package zendesktest

import (
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
)

// uploadMinutes is how long an unused token lives.
const uploadMinutes = 60

// file is one uploaded file.
type file struct {
	id      int64
	token   string // of its content URL
	name    string
	mime    string
	content []byte
	upload  *upload
}

// upload is a token with its files. A comment uses it once.
type upload struct {
	token   string
	expires int64 // nanoseconds
	used    bool
	files   []*file
}

type uploadStore struct {
	base    int64
	byToken map[string]*upload
	content map[string]*file // by the token of the content URL
	created int64
}

func newUploadStore(account int64) uploadStore {
	return uploadStore{base: account*1_000_000 + 600_000_000_000_000, byToken: map[string]*upload{}, content: map[string]*file{}}
}

// parseUpload copies the raw bytes: the body's buffer is used again.
func parseUpload(a *account, q *request) (refused *answer) {
	q.input = slices.Clone(q.body)
	return nil
}

// createUpload is POST /api/v2/uploads?filename=[&token=]. The answer says text/plain, although it is JSON.
func createUpload(a *account, q *request) answer {
	name := q.query.Get("filename")
	if name == "" {
		return invalidAttribute("filename", "be present")
	}
	extension := strings.ToLower(strings.TrimPrefix(path.Ext(name), "."))
	if allowed := a.settings.UploadExtensions; len(allowed) > 0 && !slices.Contains(allowed, extension) {
		return jsonAnswer(http.StatusUnprocessableEntity, errorBody("AttachmentUnprocessable", "The file type is not allowed: "+name))
	}
	u := a.uploads.byToken[q.query.Get("token")]
	if q.query.Has("token") && (u == nil || !u.alive(q.now)) {
		return notFound()
	}
	a.uploads.created++
	if u == nil {
		u = &upload{token: a.secret("upload", a.uploads.created)}
		a.uploads.byToken[u.token] = u
	}
	u.expires = q.now + a.settings.scaled(uploadMinutes*60)
	f := &file{id: a.uploads.base + a.uploads.created, token: a.secret("file", a.uploads.created), name: name, mime: q.mime, content: q.input.([]byte), upload: u}
	u.files = append(u.files, f)
	a.uploads.content[f.token] = f
	reply := encoded(http.StatusCreated, u.show(f, q.base))
	reply.contentType = "text/plain; charset=utf-8"
	return reply
}

func (u *upload) alive(now int64) bool { return !u.used && now < u.expires }

func (u *upload) show(latest *file, base string) *encoder {
	e := newEncoder()
	e.begin('{')
	e.key("upload")
	e.begin('{')
	e.member("token", u.token)
	e.time("expires_at", seconds(u.expires))
	e.key("attachment")
	latest.show(e, base)
	e.key("attachments")
	e.begin('[')
	for _, f := range u.files {
		f.show(e, base)
	}
	e.end(']')
	e.end('}')
	e.end('}')
	return e
}

func (f *file) show(e *encoder, base string) {
	e.begin('{')
	e.number("id", f.id)
	e.member("file_name", f.name)
	e.member("content_url", base+"/attachments/token/"+f.token+"/?name="+url.QueryEscape(f.name))
	e.member("mapped_content_url", base+"/attachments/token/"+f.token+"/?name="+url.QueryEscape(f.name))
	e.member("content_type", f.mime)
	e.number("size", int64(len(f.content)))
	e.flag("inline", false)
	e.flag("deleted", false)
	e.literal("thumbnails", "[]")
	e.end('}')
}

// deleteUpload is DELETE /api/v2/uploads/{token}.
func deleteUpload(a *account, q *request) answer {
	u := a.uploads.byToken[q.id]
	if u == nil || !u.alive(q.now) {
		return notFound()
	}
	a.uploads.forget(u)
	return answer{status: http.StatusNoContent, cutAt: -1}
}

func (s *uploadStore) forget(u *upload) {
	delete(s.byToken, u.token)
	for _, f := range u.files {
		delete(s.content, f.token)
	}
}

// downloadAttachment is GET .../attachments/token/{token}/: 404 once an unused token has expired. Whoever should have
// credentials and has none is sent to the page where people log in.
func downloadAttachment(a *account, q *request) answer {
	if a.settings.SecureDownloads && a.authenticate(q, q.authorized) != nil {
		return redirect(q, q.base+"/access/unauthenticated")
	}
	f := a.file(q)
	if f == nil {
		return notFound()
	}
	if host := a.settings.ContentHost; host != "" {
		scheme, _, _ := strings.Cut(q.base, "://")
		return redirect(q, scheme+"://"+host+"/accounts/"+a.name+"/content/token/"+f.token+"/?"+q.query.Encode())
	}
	return f.answer()
}

// downloadContent is the file server behind it. Its addresses are signed, and as such stores do it takes no other
// credentials besides.
func downloadContent(a *account, q *request) answer {
	f := a.file(q)
	switch {
	case q.authorized != "":
		return plainText(http.StatusBadRequest, "application/xml", "<Error><Code>InvalidArgument</Code><Message>Only one auth mechanism allowed</Message></Error>")
	case f == nil:
		return notFound()
	}
	return f.answer()
}

// askToLogIn is the page for people without credentials.
func askToLogIn(*account, *request) answer {
	return plainText(http.StatusOK, "text/html; charset=utf-8", "<!DOCTYPE html><html><body>Sign in</body></html>")
}

// file is that of a content URL, or nil.
func (a *account) file(q *request) *file {
	f := a.uploads.content[q.id]
	if f == nil || !f.upload.used && q.now >= f.upload.expires {
		return nil
	}
	return f
}

func (f *file) answer() answer {
	return answer{status: http.StatusOK, contentType: f.mime, body: f.content, cutAt: -1}
}

func redirect(q *request, to string) answer {
	q.header.Set("Location", to)
	return plainText(http.StatusFound, "text/html; charset=utf-8", "<html><body>You are being redirected.</body></html>")
}

// attachFiles uses up the tokens of a ticket's comments. A token that is unknown, used or expired leaves its comment
// without the file, silently: what Zendesk does is not known, and this is the worse of the two possibilities.
func (a *account) attachFiles(t *ticket, now int64) {
	for i := range t.comments {
		sent := t.comments[i].files
		if sent == nil {
			continue
		}
		for _, token := range sent.tokens {
			if u := a.uploads.byToken[token]; u != nil && u.alive(now) {
				u.used = true
				sent.files = append(sent.files, u.files...)
			}
		}
		a.tickets.attachments += len(sent.files)
	}
}
