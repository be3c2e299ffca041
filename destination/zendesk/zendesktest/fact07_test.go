package zendesktest_test

import (
	"strings"
	"testing"
)

func (z zendesk) upload(name, content string, more ...string) reply {
	z.t.Helper()
	return z.call("POST", "uploads.json"+query(append([]string{"filename", name}, more...)...), content, "Content-Type", "application/pdf")
}

func TestFact07UploadAnswersPlainTextAndAttaches(t *testing.T) {
	t.Parallel()
	z := newAccount(t, nil)
	r := z.upload("a.pdf", "first file").is(t, 201)
	contains(t, "Content-Type", r.header.Get("Content-Type"), "text/plain")
	token := text(r.at("upload", "token"))
	r = z.upload("b.pdf", "second", "token", token).is(t, 201)
	equal(t, "attachments", len(r.at("upload", "attachments").([]any)), 2)
	equal(t, "attachment", r.at("upload", "attachment", "file_name"), "b.pdf")
	_, comments := z.importOne(object{"comments": []object{{"value": "c", "uploads": []string{token}}}})
	file := at(comments, 0, "attachments", 0)
	equal(t, "file_name", at(file, "file_name"), "a.pdf")
	equal(t, "content_type", at(file, "content_type"), "application/pdf")
	equal(t, "size", at(file, "size"), len("first file"))
	equal(t, "content", send(t, "GET", text(at(file, "content_url")), nil, nil).is(t, 200).text, "first file")
	z.counted("attachments", 2)
}

func TestFact07TokenIsForOneComment(t *testing.T) {
	t.Parallel()
	z := newAccount(t, nil)
	token := text(z.upload("a.pdf", "x").at("upload", "token"))
	ticket := object{"comments": []object{{"value": "c", "uploads": []string{token}}}}
	z.importOne(ticket)
	_, comments := z.importOne(ticket)
	equal(t, "attachments of the second", at(comments, 0, "attachments"), []any{})
	z.upload("b.pdf", "x", "token", token).is(t, 404)
}

func TestFact07TokenExpiresAfterAnHour(t *testing.T) {
	t.Parallel()
	z := newAccount(t, object{"time_scale": 20_000, "plan_per_minute": 1_000_000}) // an hour of 0.18 s
	r := z.upload("a.pdf", "x")
	token, url := text(r.at("upload", "token")), text(r.at("upload", "attachment", "content_url"))
	until(t, "the file to be deleted", func() bool { return send(t, "GET", url, nil, nil).status == 404 })
	z.upload("b.pdf", "x", "token", token).is(t, 404)
	_, comments := z.importOne(object{"comments": []object{{"value": "c", "uploads": []string{token}}}})
	equal(t, "attachments", at(comments, 0, "attachments"), []any{})
}

func TestFact07AccountMayRestrictFileTypesAndSizes(t *testing.T) {
	t.Parallel()
	z := newAccount(t, object{"upload_extensions": []string{"pdf"}, "max_upload_bytes": 10})
	z.upload("a.exe", "x").is(t, 422)
	z.upload("a.PDF", "x").is(t, 201)
	z.upload("a.pdf", strings.Repeat("x", 11)).is(t, 413)
}

func TestFact07UploadCanBeDeleted(t *testing.T) {
	t.Parallel()
	z := newAccount(t, nil)
	r := z.upload("a.pdf", "x")
	z.call("DELETE", "uploads/"+text(r.at("upload", "token"))+".json", nil).is(t, 204)
	send(t, "GET", text(r.at("upload", "attachment", "content_url")), nil, nil).is(t, 404)
}

func TestFact07DownloadsMayNeedCredentialsAndRedirect(t *testing.T) {
	t.Parallel()
	const content = "<html>a file, not a page</html>"
	z := newAccount(t, nil)
	_, comments := z.importOne(object{"comments": []object{{"value": "c", "uploads": []string{text(z.upload("a.html", content).at("upload", "token"))}}}})
	address := text(at(comments, 0, "attachments", 0, "content_url"))
	z.configure(object{"secure_downloads": true})
	login := send(t, "GET", address, nil, nil).is(t, 302).header.Get("Location")
	contains(t, "page", send(t, "GET", login, nil, nil).is(t, 200).text, "Sign in")
	equal(t, "content", send(t, "GET", address, nil, z.header()).is(t, 200).text, content)
	z.configure(object{"content_host": strings.Replace(strings.TrimPrefix(z.site.url, "http://"), "127.0.0.1", "localhost", 1)})
	signed := send(t, "GET", address, nil, z.header()).is(t, 302).header.Get("Location")
	contains(t, "Location", signed, "http://localhost:")
	equal(t, "content", send(t, "GET", signed, nil, nil).is(t, 200).text, content)
	send(t, "GET", signed, nil, z.header()).is(t, 400)
}
