package zendesktest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"time"
)

// Settings is what one account is like. The control API takes any part of it as JSON and leaves the rest as it was.
// The zero value is not useful; defaults are what Zendesk was seen to do.
type Settings struct {
	// PlanPerMinute is the account's budget of requests for each UTC minute.
	PlanPerMinute int `json:"plan_per_minute"`
	// JobLimit is how many jobs may be queued or running at once.
	JobLimit int `json:"job_limit"`
	// TooManyJobsStatus is the HTTP status of TooManyJobs, which Zendesk does not document: 429 or 422.
	TooManyJobsStatus int `json:"too_many_jobs_status"`
	// RateLimitBody is the form of a 429's body: text or json.
	RateLimitBody string `json:"rate_limit_body"`
	// BulkUsers is whether Zendesk's support has enabled bulk user import for the account.
	BulkUsers bool `json:"bulk_users"`
	// SecondsPerTicket is how long a job works on one ticket; users take two thirds, organizations a third, and a job
	// waits five times as long before it starts. 0 makes jobs end at once.
	SecondsPerTicket float64 `json:"seconds_per_ticket"`
	// TimeScale makes everything that lasts in Zendesk that many times faster: 20 turns a minute into 3 seconds.
	TimeScale float64 `json:"time_scale"`
	// Seed decides the faults' dice and the order of ids.
	Seed uint64 `json:"seed"`
	// TokenLifetimeSeconds is how long an OAuth access token lives, in real seconds, whatever its request asks for;
	// 0 grants what was asked, or 1800.
	TokenLifetimeSeconds int `json:"token_lifetime_seconds"`
	// IndexLagSeconds is how long a record takes to appear in search (before TimeScale).
	IndexLagSeconds float64 `json:"index_lag_seconds"`
	// Language is that of error texts: en or pt. Error codes do not change with it.
	Language string `json:"language"`
	// MaxBodyBytes is the largest request body; beyond it the answer is 413.
	MaxBodyBytes int64 `json:"max_body_bytes"`
	// MaxUploadBytes is the largest file.
	MaxUploadBytes int64 `json:"max_upload_bytes"`
	// UploadExtensions lists the file name extensions (without dot) that the account takes; empty takes all.
	UploadExtensions []string `json:"upload_extensions"`
	// SecureDownloads gives attachments only to whoever has credentials; without it, their addresses are secret enough.
	SecureDownloads bool `json:"secure_downloads"`
	// ContentHost is a host, or host and port, under which this server is reached too: attachments then redirect to a
	// signed address there, as they do to Zendesk's file servers. Empty: the account serves them itself.
	ContentHost string `json:"content_host"`
	// TicketFields, UserFields, OrganizationFields, Groups and Brands are shown as given; each needs an id.
	TicketFields       []map[string]any `json:"ticket_fields"`
	UserFields         []map[string]any `json:"user_fields"`
	OrganizationFields []map[string]any `json:"organization_fields"`
	Groups             []map[string]any `json:"groups"`
	Brands             []map[string]any `json:"brands"`
	// Agents are hired before anything is imported, each with a name, an email and a role: agent or admin.
	Agents []map[string]any `json:"agents"`
	// Poison marks tickets that cannot be imported.
	Poison Poison `json:"poison"`
	// EdgeBlock answers every request as the edge in front of Zendesk does when it blocks.
	EdgeBlock bool `json:"edge_block"`
	// EdgeStatus is the status of such an answer: 403, 429 or 503.
	EdgeStatus int `json:"edge_status"`
	// Faults go wrong in the order given; see Fault.
	Faults []Fault `json:"faults"`
}

// Poison marks tickets whose subject contains, or one of whose tags is, Marker.
type Poison struct {
	Marker string `json:"marker"`
	// WholeBatch fails the whole job, without results, instead of the one ticket.
	WholeBatch bool `json:"whole_batch"`
}

func defaultSettings() Settings {
	return Settings{
		PlanPerMinute:     700,
		JobLimit:          30,
		TooManyJobsStatus: 429,
		RateLimitBody:     "text",
		SecondsPerTicket:  0.15,
		TimeScale:         1,
		Seed:              1,
		IndexLagSeconds:   60,
		Language:          "en",
		MaxBodyBytes:      32 << 20,
		MaxUploadBytes:    50 << 20,
		EdgeStatus:        403,
	}
}

// with returns the settings changed by the members of patch, a JSON object.
func (s Settings) with(patch []byte) (Settings, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(patch, &members); err != nil {
		return s, fmt.Errorf("read settings: not a JSON object: %w", err)
	}
	s = s.without(members) // encoding/json would merge the elements of an old list with those of the new one
	decode := json.NewDecoder(bytes.NewReader(patch))
	decode.DisallowUnknownFields()
	if err := decode.Decode(&s); err != nil {
		return s, fmt.Errorf("read settings: %w", err)
	}
	return s, s.check()
}

func (s Settings) without(members map[string]json.RawMessage) Settings {
	for name := range members {
		switch name {
		case "upload_extensions":
			s.UploadExtensions = nil
		case "ticket_fields":
			s.TicketFields = nil
		case "user_fields":
			s.UserFields = nil
		case "organization_fields":
			s.OrganizationFields = nil
		case "groups":
			s.Groups = nil
		case "brands":
			s.Brands = nil
		case "agents":
			s.Agents = nil
		case "faults":
			s.Faults = nil
		}
	}
	return s
}

func (s Settings) check() error {
	switch {
	case s.PlanPerMinute < 1:
		return fmt.Errorf("plan_per_minute is %d: it must be at least 1", s.PlanPerMinute)
	case s.JobLimit < 1:
		return fmt.Errorf("job_limit is %d: it must be at least 1", s.JobLimit)
	case !(s.TimeScale > 0) || math.IsInf(s.TimeScale, 0):
		return fmt.Errorf("time_scale is %v: it must be above 0", s.TimeScale)
	case s.SecondsPerTicket < 0 || s.IndexLagSeconds < 0 || s.TokenLifetimeSeconds < 0:
		return fmt.Errorf("seconds_per_ticket, index_lag_seconds and token_lifetime_seconds must not be negative")
	case s.TooManyJobsStatus != 429 && s.TooManyJobsStatus != 422:
		return fmt.Errorf("too_many_jobs_status is %d: it must be 429 or 422", s.TooManyJobsStatus)
	case s.RateLimitBody != "text" && s.RateLimitBody != "json":
		return fmt.Errorf("rate_limit_body is %q: it must be text or json", s.RateLimitBody)
	case s.Language != "en" && s.Language != "pt":
		return fmt.Errorf("language is %q: it must be en or pt", s.Language)
	case !isEdgeStatus(s.EdgeStatus):
		return fmt.Errorf("edge_status is %d: it must be 403, 429 or 503", s.EdgeStatus)
	}
	for _, list := range [...][]map[string]any{s.TicketFields, s.UserFields, s.OrganizationFields, s.Groups, s.Brands} {
		for _, entry := range list {
			if _, ok := entry["id"].(float64); !ok {
				return fmt.Errorf("an entry of ticket_fields, user_fields, organization_fields, groups or brands has no numeric id")
			}
		}
	}
	for _, entry := range s.Agents {
		email, _ := entry["email"].(string)
		if role := entry["role"]; email == "" || role != "agent" && role != "admin" {
			return fmt.Errorf("an entry of agents needs an email, and the role agent or admin")
		}
	}
	for i := range s.Faults {
		if err := s.Faults[i].check(); err != nil {
			return fmt.Errorf("fault %d: %w", i, err)
		}
	}
	return nil
}

// scaled turns seconds of Zendesk's time into nanoseconds of ours.
func (s *Settings) scaled(seconds float64) int64 {
	return int64(seconds * float64(time.Second) / s.TimeScale)
}

// minute is the length of a rate window, in nanoseconds.
func (s *Settings) minute() int64 { return max(1, s.scaled(60)) }
