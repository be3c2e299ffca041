package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

const partRequest = "request"

// spec is Zendesk's OpenAPI file.
type spec struct {
	router routers.Router
}

// place is where an exchange deviates from the file.
type place struct {
	Endpoint string // method and path as in the file; as requested where the file has none
	Part     string // "request", "answer 200", …
	At       string // JSON pointer with * for places in lists, or what is not in the body: "query ids", "status"
	Rule     string // what is broken: "type", "enum", "readOnly", "undeclared", …
}

func (p place) String() string {
	return fmt.Sprintf("%s, %s, at %s: %s", p.Endpoint, p.Part, p.At, p.Rule)
}

// deviation is a place, and in words what was found there first.
type deviation struct {
	place
	found string
}

// checked is what the file says about an exchange.
type checked struct {
	endpoint   string
	deviations []deviation
}

func readSpec(path string) (*spec, error) {
	doc, err := openapi3.NewLoader().LoadFromFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the OpenAPI file %s: %w", path, err)
	}
	doc.Servers = nil // the recorded addresses are below the account
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		return nil, fmt.Errorf("read the paths of the OpenAPI file %s: %w", path, err)
	}
	return &spec{router: router}, nil
}

// options: everything that is wrong is told, not only the first.
func options() *openapi3filter.Options {
	return &openapi3filter.Options{
		MultiError:                        true,
		IncludeResponseStatus:             true,
		RejectWhenRequestBodyNotSpecified: true,
		SkipSettingDefaults:               true,
		AuthenticationFunc:                openapi3filter.NoopAuthenticationFunc, // who asks is left out of the recording
	}
}

// check compares an exchange with the file.
func (s *spec) check(e *exchange) (checked, error) {
	location, err := e.location()
	if err != nil {
		return checked{}, err
	}
	request := &http.Request{Method: e.Method, URL: location, Header: e.RequestHeader.Clone(), Body: io.NopCloser(bytes.NewReader(e.Request)), ContentLength: int64(len(e.Request))}
	route, params, err := s.router.FindRoute(request)
	if err != nil {
		name := e.Method + " " + opaque.ReplaceAllString(location.Path, "/{id}")
		return checked{name, []deviation{{place{name, partRequest, "path", "undeclared"}, "the file has no such endpoint"}}}, nil //nolint:nilerr // to have no route is a finding
	}
	c := &comparison{e: e, input: &openapi3filter.RequestValidationInput{
		Request: request, PathParams: params, Route: route, Options: options(),
	}}
	c.endpoint = e.Method + " " + route.Path
	c.request()
	if e.Status != 0 {
		c.answer()
	}
	return c.checked, nil
}

// comparison is the comparison of one exchange.
type comparison struct {
	checked
	e     *exchange
	input *openapi3filter.RequestValidationInput
	part  string
}

func (c *comparison) note(at, rule, found string) {
	c.deviations = append(c.deviations, deviation{place{c.endpoint, c.part, at, rule}, found})
}

func (c *comparison) request() {
	c.part = partRequest
	c.take(openapi3filter.ValidateRequest(context.Background(), c.input))
	for name := range c.input.Request.URL.Query() {
		if !c.declares(name) {
			c.note("query "+name, "undeclared", "the file has no such parameter")
		}
	}
	if body := c.input.Route.Operation.RequestBody; body != nil && len(c.e.Request) > 0 {
		if media := body.Value.Content.Get(c.e.RequestHeader.Get("Content-Type")); media != nil && media.Schema != nil {
			var sent any
			if json.Unmarshal(c.e.Request, &sent) == nil {
				c.undeclared("", media.Schema.Value, sent)
			}
		}
	}
}

// declares tells whether the file has the query parameter; page[size] is part
// of the object page.
func (c *comparison) declares(name string) bool {
	object, _, _ := strings.Cut(name, "[")
	for _, list := range []openapi3.Parameters{c.input.Route.Operation.Parameters, c.input.Route.PathItem.Parameters} {
		if list.GetByInAndName("query", name) != nil || list.GetByInAndName("query", object) != nil {
			return true
		}
	}
	return false
}

// answer checks status, type and body. A body whose type is not declared is
// looked at nevertheless, as if it had the declared one.
func (c *comparison) answer() {
	c.part = "answer " + strconv.Itoa(c.e.Status)
	header := c.e.AnswerHeader.Clone()
	declared := c.input.Route.Operation.Responses.Status(c.e.Status)
	if declared == nil {
		declared = c.input.Route.Operation.Responses.Default()
	}
	if declared != nil && len(declared.Value.Content) > 0 && declared.Value.Content.Get(header.Get("Content-Type")) == nil {
		kind, _, _ := mime.ParseMediaType(header.Get("Content-Type")) // of no shape: it is ""
		c.note("content type", "undeclared", fmt.Sprintf("%q", kind))
		if !json.Valid(c.e.Answer) {
			return
		}
		header.Set("Content-Type", "application/json")
	}
	c.take(openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: c.input, Status: c.e.Status, Header: header,
		Body: io.NopCloser(bytes.NewReader(c.e.Answer)), Options: options(),
	}))
}

// take turns the library's errors into deviations.
func (c *comparison) take(err error) {
	switch e := err.(type) { //nolint:errorlint // each layer is looked at by itself
	case nil:
	case openapi3.MultiError:
		for _, one := range e {
			c.take(one)
		}
	case *openapi3filter.RequestError:
		c.takeRequest(e)
	case *openapi3filter.ResponseError:
		if e.Err == nil {
			c.note("status", "undeclared", e.Reason)
			return
		}
		c.take(e.Err)
	case *openapi3.SchemaError:
		c.takeSchema(nil, e)
	default:
		c.note("body", "unreadable", err.Error())
	}
}

// takeSchema notes what is wrong below a place. Of alternatives none of which
// holds, it is what the closest one lacks.
func (c *comparison) takeSchema(below []string, e *openapi3.SchemaError) {
	at := append(slices.Clone(below), e.JSONPointer()...)
	switch {
	case errors.Is(e.Origin, openapi3.ErrOneOfConflict):
		c.note(pointer(at), "oneOf", "several alternatives hold")
	case e.SchemaField == "oneOf":
		c.takeAll(at, c.closest(e.Schema.OneOf, e.Value))
	case e.SchemaField == "anyOf":
		c.takeAll(at, c.closest(e.Schema.AnyOf, e.Value))
	case e.SchemaField == "allOf":
		for _, ref := range e.Schema.AllOf {
			c.takeAll(at, c.against(ref.Value, e.Value))
		}
	default:
		c.note(pointer(at), e.SchemaField, e.Reason)
	}
}

func (c *comparison) takeAll(below []string, all []*openapi3.SchemaError) {
	for _, e := range all {
		c.takeSchema(below, e)
	}
}

// closest is what the alternative with the fewest errors lacks.
func (c *comparison) closest(alternatives openapi3.SchemaRefs, value any) []*openapi3.SchemaError {
	var fewest []*openapi3.SchemaError
	for i, ref := range alternatives {
		if wrong := c.against(ref.Value, value); i == 0 || len(wrong) < len(fewest) {
			fewest = wrong
		}
	}
	return fewest
}

func (c *comparison) against(schema *openapi3.Schema, value any) []*openapi3.SchemaError {
	direction := openapi3.VisitAsResponse()
	if c.part == partRequest {
		direction = openapi3.VisitAsRequest()
	}
	return schemaErrors(schema.VisitJSON(value, openapi3.MultiErrors(), direction))
}

func schemaErrors(err error) []*openapi3.SchemaError {
	switch e := err.(type) { //nolint:errorlint // each layer is looked at by itself
	case openapi3.MultiError:
		var all []*openapi3.SchemaError
		for _, one := range e {
			all = append(all, schemaErrors(one)...)
		}
		return all
	case *openapi3.SchemaError:
		return []*openapi3.SchemaError{e}
	}
	return nil
}

func (c *comparison) takeRequest(e *openapi3filter.RequestError) {
	if e.Parameter == nil && e.Err != nil && !errors.Is(e.Err, openapi3filter.ErrInvalidRequired) {
		c.take(e.Err)
		return
	}
	at := "body"
	if e.Parameter != nil {
		at = e.Parameter.In + " " + e.Parameter.Name
	}
	c.note(at, "invalid", e.Error())
}

// opaque are the parts of an undeclared path that differ each time.
var opaque = regexp.MustCompile(`/([0-9]+|[0-9a-f]{32})\b`)

var number = regexp.MustCompile(`^[0-9]+$`)

// pointer is a JSON pointer in which places in lists are *.
func pointer(steps []string) string {
	var b strings.Builder
	for _, step := range steps {
		if number.MatchString(step) {
			step = "*"
		}
		b.WriteString("/" + step)
	}
	if b.Len() == 0 {
		return "/"
	}
	return b.String()
}
