package main

import (
	"testing"
	"time"

	"farewell/migration"
)

func TestEgressCommandsReachEveryWorkerOfTheEgress(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.expect(t, exitOK, "egress", "set", "40/s", "--egress", "berlin", "--reason", "agreed with Zendesk")
	w.expect(t, exitOK, "egress", "set", "none", "--egress", "berlin")
	w.expect(t, exitOK, "egress", "close", "--egress", "berlin")
	w.expect(t, exitOK, "egress", "open", "--egress", "berlin")
	w.controls(t, "cap berlin 40 by ann: agreed with Zendesk", "cap berlin 0 by ann", "close berlin by ann", "open berlin by ann")
	for _, rate := range []string{"fast", "-1", "40/min", "NaN"} {
		w.expect(t, exitUsage, "egress", "set", "--egress", "berlin", "--", rate)
	}
	w.expect(t, exitUsage, "egress", "set")
}

func TestEgressStatusShowsTheEvidence(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.memory.workers = []migration.Presence{{Worker: "w1", Egress: "berlin", Seen: noon}, {Worker: "w2", Egress: "paris", Seen: noon}}
	w.memory.egresses = []migration.Egress{
		{Name: "berlin", PerSecond: 40, State: migration.EgressBlocked, Since: noon.Add(-20 * time.Second), Account: "acme",
			Evidence: "status 403, Server: cloudflare", Failed: 1, ProbeAt: noon.Add(10 * time.Second)},
		{Name: "paris", State: migration.EgressOpen, Accounts: []migration.EdgeBlock{
			{Account: "odd", Until: noon.Add(time.Minute), Times: 2, Evidence: "status 429"},
		}},
	}
	w.expect(t, exitOK, "egress", "status")
	golden(t, "egress", w.out.String())
}
