package integration_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	querypb "go.temporal.io/api/query/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// shortest is the least length of a text that is searched for: a shorter one
// is found by accident.
const shortest = 8

// wantNoCustomersTextKept looks for the sample's texts and the accounts'
// secrets in all that Temporal keeps of the stage's namespace, and in the
// workers' logs; for the secrets also in what the starter said.
func (s *stage) wantNoCustomersTextKept() {
	s.t.Helper()
	forbidden := s.forbidden()
	if found := s.everythingThatTemporalKeeps().find(forbidden); len(found) > 0 {
		s.t.Errorf("Temporal keeps customers' texts or secrets: %q", found)
	}
	for _, p := range s.all("worker") {
		log := &haystack{}
		log.add([]byte(p.out.String()))
		if found := log.find(forbidden); len(found) > 0 {
			s.t.Errorf("the log of the worker %d holds customers' texts or secrets: %q", p.pid(), found)
		}
	}
	s.mu.Lock()
	said := s.said.String()
	s.mu.Unlock()
	for _, secret := range s.secrets() {
		if strings.Contains(said, secret) {
			s.t.Errorf("starter said the secret %q", secret)
		}
	}
}

// forbidden are the texts that may leave the databases for the account alone.
func (s *stage) forbidden() []string { return append(s.customersTexts(), s.secrets()...) }

// customersTexts are all subjects, lines of bodies, e-mail addresses, names and
// numbers of people, and what else a tenant wrote.
func (s *stage) customersTexts() []string {
	s.t.Helper()
	rows := query(s.t, s.source, `
		select distinct said from (
			select title as said from crm.conversations
			union all select content from crm.messages
			union all select mail from crm.people
			union all select concat_ws(' ', first_name, last_name) from crm.people
			union all select phone from crm.people
			union all select title from crm.companies
			union all select about from crm.companies
			union all select memo from crm.companies
			union all select name from crm.files where name <> 'no extension'
			union all select product from crm.conversations) texts
		where length(said) >= $1`, shortest)
	seen := map[string]bool{}
	var all []string
	for _, row := range rows {
		for _, line := range strings.Split(text(row["said"]), "\n") {
			if line = strings.TrimSpace(line); len(line) >= shortest && !seen[line] {
				seen[line] = true
				all = append(all, line)
			}
		}
	}
	return all
}

// secrets are the contents of the accounts' secret files, in whole and in parts.
func (s *stage) secrets() []string {
	var all []string
	err := filepath.WalkDir(filepath.Join(s.dir, "secrets"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		secret := strings.TrimSpace(string(content))
		all = append(all, secret)
		if _, last, parts := strings.Cut(secret, ":"); parts {
			all = append(all, last)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // without an account in Zendesk there is no secret
		s.t.Fatal(err)
	}
	return all
}

// everythingThatTemporalKeeps gathers every text and payload of all workflows
// of the namespace.
func (s *stage) everythingThatTemporalKeeps() *haystack {
	s.t.Helper()
	return gather(s.t, s.temporal, s.namespace, s.aWorkerRuns())
}

func (s *stage) aWorkerRuns() bool {
	return slices.ContainsFunc(s.all("worker"), (*process).runs)
}

// gather reads histories, descriptions (with memos, search attributes, summaries
// and the heartbeat details of pending activities) and, if somebody can answer
// a query, the current details.
func gather(t testing.TB, c client.Client, namespace string, answered bool) *haystack {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	kept := &haystack{}
	for _, one := range executions(ctx, t, c, namespace) {
		kept.walk(one)
		id, run := one.GetExecution().GetWorkflowId(), one.GetExecution().GetRunId()
		events := c.GetWorkflowHistory(ctx, id, run, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
		for events.HasNext() {
			event, err := events.Next()
			if err != nil {
				t.Fatalf("read the history of %s: %v", id, err)
			}
			kept.walk(event)
		}
		description, err := c.DescribeWorkflowExecution(ctx, id, run)
		if err != nil {
			t.Fatalf("describe %s: %v", id, err)
		}
		kept.walk(description)
		if answered {
			kept.query(ctx, t, c, namespace, id, run)
		}
	}
	return kept
}

// query asks for the current details, which no history holds, as the Web UI does.
func (h *haystack) query(ctx context.Context, t testing.TB, c client.Client, namespace, id, run string) {
	t.Helper()
	for _, name := range []string{"__temporal_workflow_metadata", "progress"} {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		reply, err := c.WorkflowService().QueryWorkflow(ctx, &workflowservice.QueryWorkflowRequest{
			Namespace: namespace,
			Execution: &commonpb.WorkflowExecution{WorkflowId: id, RunId: run},
			Query:     &querypb.WorkflowQuery{QueryType: name},
		})
		cancel()
		if err != nil && strings.Contains(err.Error(), "unknown queryType") {
			continue // only migrations have progress
		}
		if err != nil {
			t.Fatalf("ask %s for %s: %v", id, name, err)
		}
		h.walk(reply)
	}
}

// executions lists all workflows of the namespace, ended or not.
func executions(ctx context.Context, t testing.TB, c client.Client, namespace string) []*workflowpb.WorkflowExecutionInfo {
	t.Helper()
	var all []*workflowpb.WorkflowExecutionInfo
	for token := []byte(nil); ; {
		page, err := c.WorkflowService().ListWorkflowExecutions(ctx, &workflowservice.ListWorkflowExecutionsRequest{Namespace: namespace, NextPageToken: token})
		if err != nil {
			t.Fatalf("list the workflows of %s: %v", namespace, err)
		}
		all = append(all, page.GetExecutions()...)
		if token = page.GetNextPageToken(); len(token) == 0 {
			return all
		}
	}
}

// haystack is text to be searched for many needles.
type haystack struct {
	text  bytes.Buffer
	grams map[string]bool // every piece of shortest bytes
}

func (h *haystack) add(piece []byte) {
	h.text.Write(piece)
	h.text.WriteByte(0) // nothing is found across two pieces
}

// walk adds all texts and bytes of a message, at any depth. Payloads are added
// as they are and decoded.
func (h *haystack) walk(m proto.Message) {
	if m == nil {
		return
	}
	if p, ok := m.(*commonpb.Payload); ok {
		h.addPayload(p)
	}
	h.walkMessage(m.ProtoReflect())
}

func (h *haystack) walkMessage(m protoreflect.Message) {
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.IsMap():
			value.Map().Range(func(key protoreflect.MapKey, value protoreflect.Value) bool {
				h.walkValue(field.MapKey(), key.Value())
				h.walkValue(field.MapValue(), value)
				return true
			})
		case field.IsList():
			for i := range value.List().Len() {
				h.walkValue(field, value.List().Get(i))
			}
		default:
			h.walkValue(field, value)
		}
		return true
	})
}

func (h *haystack) walkValue(field protoreflect.FieldDescriptor, value protoreflect.Value) {
	switch field.Kind() {
	case protoreflect.StringKind:
		h.add([]byte(value.String()))
	case protoreflect.BytesKind:
		h.add(value.Bytes())
	case protoreflect.MessageKind, protoreflect.GroupKind:
		h.walk(value.Message().Interface())
	}
}

// addPayload decodes JSON, in which a text may be spelled with escapes.
func (h *haystack) addPayload(p *commonpb.Payload) {
	var value any
	if json.Unmarshal(p.GetData(), &value) == nil {
		h.addValue(value)
	}
}

func (h *haystack) addValue(v any) {
	switch v := v.(type) {
	case string:
		h.add([]byte(v))
	case []any:
		for _, one := range v {
			h.addValue(one)
		}
	case map[string]any:
		for key, one := range v {
			h.add([]byte(key))
			h.addValue(one)
		}
	}
}

// find returns the needles that are there, each at least shortest bytes long,
// and at most ten.
func (h *haystack) find(needles []string) []string {
	all := h.text.String()
	if h.grams == nil {
		h.grams = map[string]bool{}
		for i := 0; i+shortest <= len(all); i++ {
			h.grams[all[i:i+shortest]] = true
		}
	}
	var found []string
	for _, needle := range needles {
		for _, spelled := range spellings(needle) {
			if len(spelled) >= shortest && h.grams[spelled[:shortest]] && strings.Contains(all, spelled) {
				found = append(found, needle)
				break
			}
		}
		if len(found) == 10 {
			break
		}
	}
	return found
}

// spellings are a text as it is, and as JSON writes it, which logs hold.
func spellings(needle string) []string {
	encoded, err := json.Marshal(needle)
	if err != nil {
		return []string{needle}
	}
	var plain bytes.Buffer
	e := json.NewEncoder(&plain)
	e.SetEscapeHTML(false)
	_ = e.Encode(needle) // a text can be encoded, as was just seen
	spelled := []string{needle}
	for _, s := range []string{string(encoded), strings.TrimSpace(plain.String())} {
		if s = s[1 : len(s)-1]; s != needle {
			spelled = append(spelled, s)
		}
	}
	return spelled
}
