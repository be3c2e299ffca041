package zendesk

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"farewell/destination"
	"farewell/migration"
)

// foreignJobs reads jobs that the ledger does not know: one of them may be
// that of a request whose answer was lost. Each is read once. Only the pass
// that works uses it.
type foreignJobs struct {
	a       *Account
	known   map[string]bool   // ended jobs that are ours or were read
	tickets map[string]string // target ids by source id, from those that were read
}

// jobList is what the account's job list says.
type jobList struct {
	open        map[string]bool   // jobs that have not ended
	foreignOpen string            // one of them that the ledger does not own; empty: none
	tickets     map[string]string // tickets of ours that jobs the ledger does not own have made
}

func newForeignJobs(a *Account) *foreignJobs {
	return &foreignJobs{a: a, known: make(map[string]bool), tickets: make(map[string]string)}
}

func (f *foreignJobs) read(ctx context.Context, owns destination.OwnsJobs) (jobList, error) {
	list := jobList{open: make(map[string]bool), tickets: f.tickets}
	var open []string
	ended := make(map[string][]string) // the ids in the results
	err := f.a.listJobs(ctx, 0, func(j jobStatus) bool {
		jobID := string(j.ID)
		switch {
		case jobID == "" || f.known[jobID]:
		case !j.ended():
			list.open[jobID] = true
			if j.mayCreate() {
				open = append(open, jobID)
			}
		default:
			ended[jobID] = resultIDs(j)
		}
		return true
	})
	if err != nil {
		return list, err
	}
	if list.foreignOpen, err = f.firstForeign(ctx, open, owns); err != nil {
		return list, err
	}
	return list, f.readEnded(ctx, ended, owns)
}

// mayCreate is false for jobs whose type says that they make no records. The
// type of an import is not documented.
func (j *jobStatus) mayCreate() bool {
	return !strings.Contains(j.JobType, "Update") && !strings.Contains(j.JobType, "Delete")
}

// firstForeign asks twice, since the ledger may learn of a job a moment after
// the account lists it.
func (f *foreignJobs) firstForeign(ctx context.Context, open []string, owns destination.OwnsJobs) (string, error) {
	for try := 1; len(open) > 0; try++ {
		owned, err := owns(ctx, open)
		if err != nil {
			return "", fmt.Errorf("ask the ledger whose jobs are open: %w", err)
		}
		open = slices.DeleteFunc(open, func(jobID string) bool { return owned[jobID] })
		if len(open) > 0 && try == 2 {
			return open[0], nil
		}
		if err := sleep(ctx, f.a.timings.PollEvery); err != nil {
			return "", err
		}
	}
	return "", nil
}

// readEnded finds the tickets that ended foreign jobs have made, by their
// external ids.
func (f *foreignJobs) readEnded(ctx context.Context, ended map[string][]string, owns destination.OwnsJobs) error {
	jobIDs := make([]string, 0, len(ended))
	for jobID := range ended {
		jobIDs = append(jobIDs, jobID)
	}
	if len(jobIDs) == 0 {
		return nil
	}
	owned, err := owns(ctx, jobIDs)
	if err != nil {
		return fmt.Errorf("ask the ledger whose jobs have ended: %w", err)
	}
	for _, jobID := range jobIDs {
		if !owned[jobID] {
			if err := f.readTickets(ctx, ended[jobID]); err != nil {
				return err
			}
		}
		f.known[jobID] = true
	}
	return nil
}

func (f *foreignJobs) readTickets(ctx context.Context, ids []string) error {
	for chunk := range slices.Chunk(ids, bulkLimit) {
		records, err := f.a.list(ctx, migration.Tickets, "/show_many", url.Values{"ids": {strings.Join(chunk, ",")}})
		if err != nil {
			return err
		}
		for _, r := range records {
			if sourceID, ok := SourceID(f.a.prefix, r.ExternalID); ok && r.ID.positive() {
				f.tickets[sourceID] = string(r.ID)
			}
		}
	}
	return nil
}

// resultIDs are the ids of records that a job may have made.
func resultIDs(j jobStatus) []string {
	if !j.mayCreate() || strings.Contains(j.JobType, "User") || strings.Contains(j.JobType, "Organization") {
		return nil // jobs of other kinds have no ids of tickets
	}
	var ids []string
	for i := range j.Results {
		if !j.Results[i].failed() {
			ids = append(ids, string(j.Results[i].ID))
		}
	}
	return ids
}
