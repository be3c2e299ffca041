package zendesktest

import (
	"net/http"
	"strings"
)

// answer is what goes back to the client.
type answer struct {
	status      int
	contentType string
	body        []byte
	// cutAt sends only so many bytes of the body and then cuts the connection; -1 sends all.
	cutAt int
	// cut cuts the connection without an answer.
	cut bool
	// encoder is what holds body, if it is to be used again.
	encoder *encoder
}

const jsonType = "application/json; charset=utf-8"

func jsonAnswer(status int, body string) answer {
	return answer{status: status, contentType: jsonType, body: []byte(body), cutAt: -1}
}

// encoded is the answer that e has written.
func encoded(status int, e *encoder) answer {
	return answer{status: status, contentType: jsonType, body: e.buf, cutAt: -1, encoder: e}
}

// sent gives back what the answer was written with: body is gone.
func (a *answer) sent() {
	if a.encoder != nil {
		encoders.Put(a.encoder)
	}
}

// one is the answer that shows a single record under its name.
func one(status int, name string, show func(*encoder)) answer {
	e := newEncoder()
	e.begin('{')
	e.key(name)
	show(e)
	e.end('}')
	return encoded(status, e)
}

// onOnePage is the answer that shows all that was found.
func onOnePage[T any](q *request, name string, found []T, show func(*encoder, T)) answer {
	e := newEncoder()
	e.begin('{')
	e.key(name)
	e.begin('[')
	for _, one := range found {
		show(e, one)
	}
	e.end(']')
	q.offsetLinks(e, 1, false, len(found))
	e.end('}')
	return encoded(http.StatusOK, e)
}

// askedFor finds the records of a show_many by ids and external ids, which are
// kept in lower case; unknown ones are left out.
func askedFor[T any](q *request, byID func(int64) *T, byExternal map[string]*T) (found []*T, refused *answer) {
	ids, refused := q.idList("ids")
	if refused != nil {
		return nil, refused
	}
	externals, refused := q.wordList("external_ids")
	if refused != nil {
		return nil, refused
	}
	for _, id := range ids {
		if one := byID(id); one != nil {
			found = append(found, one)
		}
	}
	for _, external := range externals {
		if one := byExternal[strings.ToLower(external)]; one != nil {
			found = append(found, one)
		}
	}
	return found, nil
}

func plainText(status int, contentType, text string) answer {
	return answer{status: status, contentType: contentType, body: []byte(text), cutAt: -1}
}

// The error bodies of Zendesk, of which it has several shapes.

func errorBody(code, description string) string {
	return mustMarshal(struct {
		Error       string `json:"error"`
		Description string `json:"description"`
	}{code, description})
}

func errorList(code, status, title string) string {
	type entry struct {
		Code   string `json:"code"`
		Status string `json:"status"`
		Title  string `json:"title"`
	}
	return mustMarshal(map[string][]entry{"errors": {{code, status, title}}})
}

func titledError(title, message string) string {
	type titled struct {
		Title   string `json:"title"`
		Message string `json:"message"`
	}
	return mustMarshal(map[string]titled{"error": {title, message}})
}

func notFound() answer {
	return jsonAnswer(http.StatusNotFound, errorBody("RecordNotFound", "Not found"))
}

func invalidEndpoint() answer {
	return jsonAnswer(http.StatusNotFound, errorBody("InvalidEndpoint", "Not found"))
}

func forbidden() answer {
	return jsonAnswer(http.StatusForbidden, titledError("Forbidden", "You do not have access to this page. Please contact the account owner of this help desk for further help."))
}

func unauthorized() answer {
	return jsonAnswer(http.StatusUnauthorized, `{"error":"Couldn't authenticate you"}`)
}

func malformedJSON() answer {
	return jsonAnswer(http.StatusBadRequest, titledError("Unprocessable Entity", "Server could not parse JSON"))
}

func invalidAttribute(name, must string) answer {
	return jsonAnswer(http.StatusBadRequest, titledError("Invalid attribute", "You passed an invalid value for the "+name+" attribute. Invalid parameter: "+name+" must "+must))
}

// tooManyValues has two blanks after "Parameter": so it was recorded.
func tooManyValues() answer {
	return jsonAnswer(http.StatusBadRequest, `{"error":"TooManyValues","description":"Parameter  cannot specify more than 100 values","max_count":100}`)
}

// problem is a record that Zendesk refuses. It is an answer of its own for a single record, and one item's error in a job.
type problem struct {
	field string // the key under details
	code  string // the stable code
	text  string // for people, in the account's language
	// extra is further members of the detail, as JSON, without braces.
	extra string
}

// answer is the 422 of a single record.
func (p *problem) answer() answer {
	detail := `{"description":` + mustMarshal(p.text) + `,"error":` + mustMarshal(p.code)
	if p.extra != "" {
		detail += "," + p.extra
	}
	return jsonAnswer(http.StatusUnprocessableEntity,
		`{"error":"RecordInvalid","description":"Record validation errors","details":{`+mustMarshal(p.field)+`:[`+detail+`}]}}`)
}

// phrase is an error text with its translation; the first argument replaces %.
type phrase struct{ english, portuguese string }

var (
	descriptionBlank = phrase{"Description: cannot be blank", "Descrição: não pode ficar em branco"}
	commentBlank     = phrase{"Comment: cannot be blank", "Comentário: não pode ficar em branco"}
	textTooLong      = phrase{"Description: is too long (maximum is 65535 bytes)", "Descrição: é muito longo (máximo: 65535 bytes)"}
	tooManyComments  = phrase{"Comments: cannot be more than 5000", "Comentários: não pode ter mais de 5000"}
	tooManyCCs       = phrase{"Collaborators: cannot be more than 48", "Colaboradores: não pode ter mais de 48"}
	isInvalid        = phrase{"%: is invalid", "%: é inválido"}
	isSuspended      = phrase{"Requester: % is suspended.", "Solicitante: % está suspenso."}
	authorSuspended  = phrase{"Author: % is suspended.", "Autor: % está suspenso."}
	emailTaken       = phrase{"Email: % is already being used by another user", "E-mail: % já está sendo usado por outro usuário"}
	valueTaken       = phrase{"Value: % is already being used by another user", "Valor: % já está sendo usado por outro usuário"}
	externalTaken    = phrase{"External: % has already been taken", "Externo: % já foi usado"}
	nameTaken        = phrase{"Name: % has already been taken", "Nome: % já foi usado"}
	nameTooShort     = phrase{"Name: is too short (minimum is 1 character)", "Nome: é muito curto (mínimo: 1 caractere)"}
	nameTooLong      = phrase{"Name: is too long (maximum is 255 characters)", "Nome: é muito longo (máximo: 255 caracteres)"}
	emailMalformed   = phrase{"Email: % is not properly formatted", "E-mail: % não está formatado corretamente"}
	membershipTaken  = phrase{"User: has already been taken", "Usuário: já foi usado"}
)

// refuse builds a problem in the account's language.
func (a *account) refuse(field, code string, p phrase, about string) *problem {
	text := p.english
	if a.settings.Language == "pt" {
		text = p.portuguese
	}
	return &problem{field: field, code: code, text: strings.Replace(text, "%", about, 1)}
}
