package activities_test

import (
	"testing"
	"time"

	"go.temporal.io/sdk/testsuite"

	"farewell/migration"
)

func TestComparisonListsWhatMayHaveChangedAfterItWasRead(t *testing.T) {
	s := newStage(t, 4, nil)
	_, err := s.ledger.SavePlan(t.Context(), acme, migration.Plan{AsOf: time.Now(), Partitions: []migration.Partition{everything}})
	must(t, err)
	w := s.hire()
	w.mustFinish()
	s.source.mu.Lock()
	tickets := s.source.tickets
	tickets[0].UpdatedAt = time.Now().Add(time.Second)
	tickets[1].UpdatedAt = time.Now().Add(-2 * time.Second) // a transaction that was open then
	tickets[2].UpdatedAt = time.Now().Add(-time.Minute)
	tickets[3].UpdatedAt = time.Now().Add(-2 * time.Second)
	tickets[3].CreatedAt = tickets[3].UpdatedAt
	s.source.mu.Unlock()

	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(quiet{})
	env := suite.NewTestActivityEnvironment()
	w.does.Register(env)
	value, err := env.ExecuteActivity(string(migration.CompareSource), migration.CompareInput{Migration: acme, Run: run})
	must(t, err)
	var out migration.CompareOutcome
	must(t, value.Get(&out))
	if out.Comparison.ChangedSince != 2 {
		t.Errorf("%d tickets may have changed since, want those with the ids 1001 and 1002", out.Comparison.ChangedSince)
	}
}
