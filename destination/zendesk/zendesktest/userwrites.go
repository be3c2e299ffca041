package zendesktest

import (
	"net/http"
	"strings"
)

// createUser is POST /api/v2/users.
func createUser(a *account, q *request) answer {
	in := q.input.(userInput)
	u, p := a.createUserFrom(&in, q.now)
	if p != nil {
		return p.answer()
	}
	return a.userAnswer(http.StatusCreated, u)
}

// updateUser is PUT /api/v2/users/{id}.
func updateUser(a *account, q *request) answer {
	in := q.input.(userInput)
	u := a.users.get(atoi(q.id))
	if u == nil {
		return notFound()
	}
	if p := a.updateUserFrom(u, &in, q.now); p != nil {
		return p.answer()
	}
	return a.userAnswer(http.StatusOK, u)
}

// createOrUpdateUser is POST /api/v2/users/create_or_update: 200 for one that was there, 201 for a new one.
func createOrUpdateUser(a *account, q *request) answer {
	in := q.input.(userInput)
	u := a.matching(&in)
	if u == nil {
		return createUser(a, q)
	}
	perUser := bucket{name: upsertBucket.name, limit: 5, seconds: 60}
	if refused := a.admitTo(q, perUser, upsertBucket.name+"/"+itoa(u.id)); refused != nil {
		return *refused
	}
	if p := a.updateUserFrom(u, &in, q.now); p != nil {
		return p.answer()
	}
	return a.userAnswer(http.StatusOK, u)
}

// matching finds the user that create_or_update means.
func (a *account) matching(in *userInput) *user {
	if in.externalID != nil && *in.externalID != "" {
		if u := a.users.byExternal[strings.ToLower(*in.externalID)]; u != nil {
			return u
		}
	}
	return a.users.byEmail[in.email]
}

// The job type of both bulk endpoints is the same.
var userJob = jobKind{jobType: "Bulk Create User", class: "UserBulkCreateJob", working: "Creating User", share: 2.0 / 3}

func createManyUsers(a *account, q *request) answer { return a.bulkUsers(q, false) }

func createOrUpdateManyUsers(a *account, q *request) answer { return a.bulkUsers(q, true) }

func (a *account) bulkUsers(q *request, update bool) answer {
	inputs := q.input.([]userInput)
	return a.startJob(q, userJob, len(inputs), func(index int, at int64) outcome {
		in := &inputs[index]
		if update {
			if u := a.matching(in); u != nil {
				p := a.updateUserFrom(u, in, at)
				return userOutcome(in, u, "Updated", p)
			}
		}
		u, p := a.createUserFrom(in, at)
		return userOutcome(in, u, "Created", p)
	})
}

var userUpdateJob = jobKind{jobType: "Bulk Update User", class: "UserBulkUpdateJobV2", working: "Updating User", share: 1.0 / 3}

// updateManyUsers is PUT /api/v2/users/update_many with a list of users and their changes. It is not part of bulk import.
func updateManyUsers(a *account, q *request) answer {
	inputs := q.input.([]userInput)
	return a.startJob(q, userUpdateJob, len(inputs), func(index int, at int64) outcome {
		in := &inputs[index]
		place := `{"index":` + itoa(int64(index)) + `,"id":` + itoa(in.id)
		u := a.users.get(in.id)
		if u == nil {
			return outcome{failed: true, result: place + `,"error":"UserNotFound","details":"User not found"}`}
		}
		if p := a.updateUserFrom(u, in, at); p != nil {
			return outcome{failed: true, result: place + `,"error":"UserUpdateFailed","details":` + mustMarshal(p.text) + `}`}
		}
		return outcome{id: u.id, result: place + `,"action":"update","status":"Updated","success":true}`}
	})
}

// userOutcome has no index: results are matched by external_id only.
func userOutcome(in *userInput, u *user, status string, p *problem) outcome {
	type result struct {
		ID         int64  `json:"id,omitempty"`
		Status     string `json:"status"`
		Email      string `json:"email,omitempty"`
		ExternalID string `json:"external_id,omitempty"`
		Error      string `json:"error,omitempty"`
		Details    string `json:"details,omitempty"`
	}
	if p != nil {
		failed := result{Status: "Failed", Email: in.email, Error: "UserCreateFailed", Details: p.text}
		if in.externalID != nil {
			failed.ExternalID = *in.externalID
		}
		return outcome{failed: true, result: mustMarshal(failed)}
	}
	return outcome{id: u.id, result: mustMarshal(result{ID: u.id, Status: status, Email: u.someEmail(), ExternalID: u.externalID})}
}
