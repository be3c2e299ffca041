package zendesk

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// jobRoom is how much of an answer about jobs is held at once; the results of a
// hundred tickets are 5 KB.
const jobRoom = 16 << 10

// jobStatus is what Zendesk tells of a job
// (https://developer.zendesk.com/api-reference/ticketing/ticket-management/job_statuses/).
type jobStatus struct {
	ID       id
	JobType  string
	Status   string
	Progress string // JSON, a number or null; compared, never read
	// Results are nil where the job has no list of them: null, the object that
	// some jobs have instead, or a list that cannot be read.
	Results []jobResult
}

func (j *jobStatus) ended() bool {
	switch j.Status {
	case "completed", "failed", "killed":
		return true
	}
	return false
}

// jobResult is the result of one item. Which members it has depends on the
// endpoint; a failed one has an error.
type jobResult struct {
	Indexed    bool // it has an index
	Index      int
	ID         id
	ExternalID string
	Error      json.RawMessage // nil: none
	Details    json.RawMessage
}

// failed holds for an item with an error or without an id.
func (r *jobResult) failed() bool { return r.Error != nil || !r.ID.positive() }

// jobAnswer is an answer about jobs, about one of them or about many.
type jobAnswer struct {
	Job  jobStatus
	Jobs []jobStatus
	Meta meta
}

// read reads an answer in place of what a was.
func (a *jobAnswer) read(in io.Reader) error {
	*a = jobAnswer{}
	r := newJSONReader(jobRoom)
	r.reset(in)
	for name := range r.members() {
		switch string(name) {
		case "job_status":
			a.Job = readJob(r)
		case "job_statuses":
			a.Jobs = readJobs(r)
		case "meta":
			r.decode(&a.Meta)
		default:
			r.skip()
		}
	}
	if r.err != nil {
		return fmt.Errorf("read the answer: %w", r.err)
	}
	return nil
}

func readJobs(r *jsonReader) (jobs []jobStatus) {
	if r.null() {
		return nil
	}
	for range r.elements() {
		jobs = append(jobs, readJob(r))
	}
	return jobs
}

func readJob(r *jsonReader) (j jobStatus) {
	if r.null() {
		return j
	}
	for name := range r.members() {
		switch string(name) {
		case "id":
			j.ID = r.id()
		case "job_type":
			j.JobType = r.text()
		case "status":
			j.Status = r.text()
		case "progress":
			j.Progress = string(r.value())
		case "results":
			j.Results = readResults(r)
		default:
			r.skip()
		}
	}
	return j
}

// readResults reads what a job tells of its items. A list with an entry of
// another shape says nothing about any of them.
func readResults(r *jsonReader) []jobResult {
	if r.next() != '[' {
		r.skip()
		return nil
	}
	results, readable := make([]jobResult, 0, bulkLimit), true
	for range r.elements() {
		one, ok := readResult(r)
		results, readable = append(results, one), readable && ok
	}
	if !readable {
		return nil
	}
	return results
}

func readResult(r *jsonReader) (one jobResult, ok bool) {
	if r.next() != '{' {
		return one, string(r.value()) == "null"
	}
	ok = true
	for name := range r.members() {
		fits := true
		switch string(name) {
		case "index":
			one.Index, one.Indexed, fits = readIndex(r.value())
		case "id":
			fits = one.ID.UnmarshalJSON(r.value()) == nil
		case "external_id":
			one.ExternalID, fits = textOrNull(r.value())
		case "error":
			one.Error = unlessNull(r.value())
		case "details":
			one.Details = unlessNull(r.value())
		default:
			r.skip()
		}
		ok = ok && fits
	}
	return one, ok
}

func readIndex(raw []byte) (index int, indexed, ok bool) {
	n, ok := wholeOrNull(raw)
	return int(n), string(raw) != "null", ok
}

// unlessNull keeps a value of any kind.
func unlessNull(raw []byte) json.RawMessage {
	if string(raw) == "null" {
		return nil
	}
	return bytes.Clone(raw)
}
