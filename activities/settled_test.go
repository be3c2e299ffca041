package activities

import (
	"fmt"
	"testing"
	"time"

	"farewell/integration/postgrestest"
	"farewell/ledger"
	"farewell/migration"
)

// Tickets are sent by what the directory says, and read back by what the ledger
// says.
func TestADirectorySaysOfSettledPeopleWhatTheLedgerSays(t *testing.T) {
	t.Parallel()
	made := migration.Item{Outcome: migration.Created, TargetID: "1"}
	met := migration.Item{Outcome: migration.AlreadyThere, TargetID: "1"}
	agent := migration.Item{Outcome: migration.AlreadyThere, TargetID: "2", Agent: true}
	refused := migration.Item{Outcome: migration.Failed, Code: "refused"}
	unsent := migration.Item{Outcome: migration.NotSent}
	database := postgrestest.New(t)
	if err := ledger.Migrate(t.Context(), database); err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(t.Context(), database, ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	for i, row := range []struct {
		name    string
		settled []migration.Item // by one partition after the other
		known   bool
	}{
		{"made", []migration.Item{made}, true},
		{"met", []migration.Item{met}, true},
		{"an agent", []migration.Item{agent}, true},
		{"refused", []migration.Item{refused}, false},
		{"made at the second try", []migration.Item{unsent, made}, true},
		{"made, and not sent by another", []migration.Item{made, unsent}, true},
		{"made, and met by another", []migration.Item{made, met}, true},
		{"made, and an agent by now", []migration.Item{made, agent}, true},
		{"made, and refused to another", []migration.Item{made, refused}, false},
		{"an agent, and there for another without a word", []migration.Item{agent, {Outcome: migration.AlreadyThere}}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := migration.Migration{Customer: fmt.Sprint(i), Destination: migration.DestinationZendesk, Account: "a"}
			if err := l.BeginRun(t.Context(), m, "run", migration.Options{}); err != nil {
				t.Fatal(err)
			}
			d := &directory{targets: map[migration.Entity]map[string]migration.Target{}}
			for n, item := range row.settled {
				item.SourceID = "7"
				settle(t, l, m, n, item)
				d.settle(migration.Users, []migration.Item{item})
			}
			found := map[string]migration.Target{}
			d.find(migration.Users, []string{"7"}, found)
			said, err := l.Targets(t.Context(), m, migration.Users, []string{"7"})
			if err != nil {
				t.Fatal(err)
			}
			if got, known := found["7"]; known != row.known || known && got != said["7"] {
				t.Errorf("known %t as %+v, the ledger says %+v", known, got, said["7"])
			}
		})
	}
}

// settle has the n-th partition decide about a user.
func settle(t *testing.T, l *ledger.Ledger, m migration.Migration, n int, item migration.Item) {
	t.Helper()
	p := migration.Partition{ID: migration.PartitionID(migration.Users, n+1), Entity: migration.Users}
	state, err := l.TakeOver(t.Context(), m, p, "run")
	if err != nil {
		t.Fatal(err)
	}
	b := migration.Batch{ID: migration.BatchID(m, p.ID, 0, 0, []string{item.SourceID}), Entity: migration.Users, Partition: p.ID, SourceIDs: []string{item.SourceID}, ReadAt: time.Now()}
	if _, err := l.Intend(t.Context(), state.Hold, b, time.Minute); err != nil {
		t.Fatal(err)
	}
	if err := l.Settle(t.Context(), state.Hold, b.ID, migration.Settlement{Items: []migration.Item{item}, Verdict: verdictDecided}); err != nil {
		t.Fatal(err)
	}
}
