package zendesk

import (
	"context"
	"encoding/json"
	"fmt"

	"farewell/destination"
	"farewell/migration"
)

// jobResult turns a job's end into the fate of each record. A job that tells
// nothing about single records, or not about all, counts as failed whole.
func (a *Account) jobResult(ctx context.Context, jobID string, end jobStatus, e migration.Entity, sent []string) (destination.JobResult, error) {
	note := "job " + stableStatusEnd(end.Status)
	results := end.Results
	if results == nil {
		return destination.JobResult{Whole: true, Note: note + " without results"}, nil
	}
	if e == migration.Tickets {
		items, ok := ticketItems(results, sent)
		if !ok {
			return destination.JobResult{Whole: true, Note: fmt.Sprintf("%s with %d results for %d records", note, len(results), len(sent))}, nil
		}
		return destination.JobResult{Items: items, Note: note}, nil
	}
	var items []migration.Item
	var err error
	switch e {
	case migration.Memberships:
		items, err = a.membershipItems(ctx, results, sent)
	case migration.Suspensions:
		items, err = a.suspensionItems(ctx, results, sent)
	default:
		items, err = a.peopleItems(ctx, jobID, e, results, sent)
	}
	if err != nil {
		return destination.JobResult{}, fmt.Errorf("read the results of job %s: %w", jobID, err)
	}
	a.jobs.dropBody(jobID)
	return destination.JobResult{Items: items, Note: note}, nil
}

func stableStatusEnd(s string) string {
	if s == "completed" || s == "killed" {
		return s
	}
	return "failed"
}

// ticketItems matches results to records by index, or by order when none has
// one; ok is false when they cannot be matched one to one. An id proves that a
// ticket was made; the ids are in any order.
func ticketItems(results []jobResult, sent []string) (items []migration.Item, ok bool) {
	if len(results) != len(sent) {
		return nil, false
	}
	items = make([]migration.Item, len(sent))
	for i := range results {
		at := i
		if results[i].Indexed {
			at = results[i].Index
		}
		if at < 0 || at >= len(sent) || items[at].SourceID != "" || results[i].Indexed != results[0].Indexed {
			return nil, false
		}
		items[at] = results[i].item(sent[at])
	}
	return items, true
}

func (r *jobResult) item(sourceID string) migration.Item {
	if !r.failed() {
		return migration.Item{SourceID: sourceID, Outcome: migration.Created, TargetID: string(r.ID)}
	}
	p := problem{name: "Refused"}
	var name, text string
	if json.Unmarshal(r.Error, &name) == nil && stableName.MatchString(name) {
		p.name = name
	}
	if json.Unmarshal(r.Details, &text) == nil {
		p.text = text
	} else {
		_ = json.Unmarshal(r.Details, &p.details) // details of another shape carry no codes
	}
	if p.text == "" && p.details == nil {
		p.text = "the job gives no reason"
	}
	return failedItem(sourceID, p, 0)
}

// peopleItems matches results to users or organizations by external id, since
// these have no index. Where that does not account for each, the account is
// asked who is there.
func (a *Account) peopleItems(ctx context.Context, jobID string, e migration.Entity, results []jobResult, sent []string) ([]migration.Item, error) {
	items, ok := a.byExternalID(results, sent)
	if !ok {
		var err error
		if items, err = a.askWhoIsThere(ctx, e, results, sent); err != nil {
			return nil, err
		}
	}
	keys := bodyKeys(e, a.jobs.body(jobID), a.prefix)
	a.recent.remember(e, items, keys)
	return a.alreadyThere(ctx, jobID, e, items, keys)
}

func (a *Account) byExternalID(results []jobResult, sent []string) ([]migration.Item, bool) {
	if len(results) != len(sent) {
		return nil, false
	}
	place := make(map[string]int, len(sent))
	for i, sourceID := range sent {
		place[sourceID] = i
	}
	items := make([]migration.Item, len(sent))
	for i := range results {
		sourceID, ok := SourceID(a.prefix, results[i].ExternalID)
		at, known := place[sourceID]
		if !ok || !known || items[at].SourceID != "" {
			return nil, false
		}
		items[at] = results[i].item(sourceID)
	}
	return items, true
}

// askWhoIsThere resolves results by a look into the account. Nobody of the
// batch was there before, for Prepare has looked.
func (a *Account) askWhoIsThere(ctx context.Context, e migration.Entity, results []jobResult, sent []string) ([]migration.Item, error) {
	there, err := a.byExternalIDs(ctx, e, sent)
	if err != nil {
		return nil, err
	}
	items := make([]migration.Item, len(sent))
	for i, sourceID := range sent {
		switch record, ok := there[sourceID]; {
		case ok:
			items[i] = migration.Item{SourceID: sourceID, Outcome: migration.Created, TargetID: string(record.ID)}
		case len(results) == len(sent) && results[i].failed():
			items[i] = results[i].item(sourceID)
		default:
			items[i] = migration.Item{SourceID: sourceID, Outcome: migration.Failed, Code: "Refused", Text: "the job has ended and the record is not in the account"}
		}
	}
	return items, nil
}
