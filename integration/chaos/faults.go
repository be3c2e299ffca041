package main

import "context"

// faults is what goes wrong with an account's requests.
func (p plan) faults(account int) []map[string]any {
	fault := func(kind, on string, probability float64, further ...any) map[string]any {
		f := map[string]any{"kind": kind, "on": on, "probability": probability}
		for i := 0; i < len(further); i += 2 {
			f[further[i].(string)] = further[i+1]
		}
		return f
	}
	var list []map[string]any
	if p.aims {
		// A job that stays queued is gone a day later, of the sandbox's time, which
		// the first accounts live to see. What comes later than the waiting rule
		// allows for is found by a sweep.
		if account < 10 {
			list = append(list, fault("job_stuck", "imports", 1, "skip", 3, "count", 2))
		}
		list = append(list, fault("late", "imports", 1, "skip", 9, "count", 1, "delay_seconds", 45))
	}
	list = append(list,
		// Of these, a number for each account.
		fault("cut_after", makeUsers, 1, "skip", 3, "count", 1),
		fault("cut_after", makeOrganizations, 1, "count", 1),
		fault("error_after", makeUsers, 1, "skip", 6, "count", 1),
		// Of these, a share of all imports.
		fault("cut_before", "imports", .014),
		fault("cut_after", "imports", .02),
		fault("cut_half", "imports", .015),
		fault("error_before", "imports", .014),
		fault("error_after", "imports", .015, "status", 502),
		fault("unavailable", "imports", .013, "retry_after", 1),
		fault("rate_limited", "imports", .013, "retry_after", 1),
		fault("conflict", "imports", .013),
		fault("slow", "imports", .013, "delay_seconds", 1),
		fault("late", "imports", .014, "delay_seconds", 3),
		fault("job_fails_after", "imports", .014, "after", 37),
		fault("job_silent", "imports", .013),
		fault("job_empty", "imports", .013),
		fault("job_hidden", "imports", .014),
		fault("job_vanishes", "imports", .014),
		// And of the reads around them.
		fault("cut_before", "jobs", .005),
		fault("error_before", "jobs", .005),
		fault("unavailable", "jobs", .005, "retry_after", 1),
		fault("cut_half", "jobs", .005),
		fault("error_before", "incremental", .02),
		fault("cut_half", "incremental", .02),
	)
	if usesOAuth(account) {
		list = append(list, fault("expired_token", "imports", .02))
	}
	return list
}

// usesOAuth holds for accounts whose tokens can expire.
func usesOAuth(account int) bool { return account%2 == 0 }

// The requests that make people. What only reads, and fails, leaves no doubt.
const (
	makeUsers         = "POST /api/v2/users/create_many"
	makeOrganizations = "POST /api/v2/organizations/create_many"
)

// shortName is how the report calls requests; imports need no name.
func shortName(on string) string {
	switch on {
	case "imports":
		return ""
	case makeUsers:
		return "_users"
	case makeOrganizations:
		return "_organizations"
	}
	return "_" + on
}

// windowFaults are those after which a request was accepted and not answered.
var windowFaults = map[string]bool{
	"cut_after": true, "cut_half": true, "error_after": true, "late": true,
	"cut_after_users": true, "cut_after_organizations": true, "error_after_users": true,
}

// countFaults adds up what struck an account, before its faults are taken away.
func (w *world) countFaults(ctx context.Context, c *customer) error {
	var stats struct {
		Fired []int `json:"faults_fired"`
	}
	if err := w.Sandbox.Stats(ctx, c.account, &stats); err != nil {
		return err
	}
	for i, f := range w.faults(c.number) {
		name := f["kind"].(string) + shortName(f["on"].(string))
		w.fired[name] += stats.Fired[i]
	}
	return nil
}
