package migration

import "time"

// Timings holds every duration that is waited for on purpose. Limits that only
// catch what hangs (timeouts of calls and activities) are not here, since
// making them shorter would break slow machines, not speed up a rehearsal.
type Timings struct {
	// RateWindow is the length of an account's rate window; Zendesk's begins
	// with each minute of UTC.
	RateWindow time.Duration `json:"rate_window"`
	// SendWithin is how long after the intent a request may still go out.
	SendWithin time.Duration `json:"send_within"`
	// AbsentAfter is how long after that a batch may first be declared absent:
	// a request in flight may be delivered late.
	AbsentAfter time.Duration `json:"absent_after"`
	// LookupEvery is the least time between two look-up passes of an account.
	LookupEvery time.Duration `json:"lookup_every"`
	// ExportLag is how far Zendesk's incremental export stays behind.
	ExportLag time.Duration `json:"export_lag"`
	// JobPerTicket is the time that a job is expected to take for a record.
	JobPerTicket time.Duration `json:"job_per_ticket"`
	// PollEvery is the least time between two polls of an account's jobs.
	PollEvery time.Duration `json:"poll_every"`
	// JobOverdue is when a job that does not move is taken for stuck.
	JobOverdue time.Duration `json:"job_overdue"`
	// UploadLife is how long the account keeps an uploaded file for the ticket
	// that it belongs to.
	UploadLife time.Duration `json:"upload_life"`
	// UploadFresh is how old an upload may be when its ticket goes out: together
	// with JobOverdue it stays below UploadLife.
	UploadFresh time.Duration `json:"upload_fresh"`
	// FileStill is how long the transfer of a file may stand still.
	FileStill time.Duration `json:"file_still"`
	// FileWithin is how long the transfer of one file may take.
	FileWithin time.Duration `json:"file_within"`
	// LaneWait is the longest wait inside an activity; longer ones end it and
	// become a timer of the workflow.
	LaneWait time.Duration `json:"lane_wait"`
	// Watchdog is how often a running migration's progress is looked at.
	Watchdog time.Duration `json:"watchdog"`
	// StallAfter is how long nothing may be settled before that is an
	// operator's business.
	StallAfter time.Duration `json:"stall_after"`
	// DrainWithin is how long a worker that stops waits for its open jobs.
	DrainWithin time.Duration `json:"drain_within"`
}

// DefaultTimings are those for the real Zendesk.
func DefaultTimings() Timings {
	return Timings{
		RateWindow:   time.Minute,            // fixed to the UTC minute, seen in 1,283 recorded answers
		SendWithin:   20 * time.Second,       // a healthy POST takes 1–2 s; after 20 s something is wrong
		AbsentAfter:  3 * time.Minute,        // proxies give up well before; what comes later the sweep finds
		LookupEvery:  time.Minute,            // the incremental export allows 10 requests a minute to all integrations
		ExportLag:    time.Minute,            // documented: the last minute is left out
		JobPerTicket: 150 * time.Millisecond, // recorded: 100 tickets take 15–16 s
		PollEvery:    time.Second,            // polls count against the budget; show_many asks for all jobs at once
		JobOverdue:   30 * time.Minute,       // queued that long, a job is not going to run
		UploadLife:   60 * time.Minute,       // documented for unused uploads
		UploadFresh:  25 * time.Minute,       // a job that began in time and is not overdue ends before UploadLife
		FileStill:    15 * time.Second,       // below the shortest heartbeat timeout
		FileWithin:   10 * time.Minute,       // 50 MB at 85 KB/s
		LaneWait:     2 * time.Minute,        // two windows: longer waits should not hold a slot
		Watchdog:     5 * time.Minute,        // 12 actions an hour
		StallAfter:   10 * time.Minute,       // the slowest recorded job ended within 20 s
		DrainWithin:  20 * time.Second,       // below the worker's stop timeout of 30 s
	}
}

// Scaled divides every wait by the factor, so that a rehearsal against a
// sandbox whose clock runs as much faster takes as much less time. A floor
// stays where a shorter wait would only catch a slow machine. Factors of 1
// and below change nothing.
func (t Timings) Scaled(factor float64) Timings {
	if factor <= 1 {
		return t
	}
	scale := func(d, floor time.Duration) time.Duration {
		return min(d, max(floor, time.Duration(float64(d)/factor)))
	}
	return Timings{
		RateWindow:   scale(t.RateWindow, 0), // must be exactly the sandbox's
		SendWithin:   scale(t.SendWithin, 5*time.Second),
		AbsentAfter:  scale(t.AbsentAfter, time.Second),
		LookupEvery:  scale(t.LookupEvery, time.Second),
		ExportLag:    scale(t.ExportLag, 0),
		JobPerTicket: scale(t.JobPerTicket, 0),
		PollEvery:    scale(t.PollEvery, 50*time.Millisecond),
		JobOverdue:   scale(t.JobOverdue, 20*time.Second),
		UploadLife:   scale(t.UploadLife, 0), // must be the sandbox's
		UploadFresh:  scale(t.UploadFresh, 0),
		FileStill:    t.FileStill,
		FileWithin:   t.FileWithin,
		LaneWait:     scale(t.LaneWait, 10*time.Second),
		Watchdog:     scale(t.Watchdog, 15*time.Second),
		StallAfter:   scale(t.StallAfter, time.Minute),
		DrainWithin:  t.DrainWithin,
	}
}
