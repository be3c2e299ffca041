package activities

import (
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"time"

	"farewell/destination"
	"farewell/migration"
	"farewell/source"
)

// exportStream writes the partition's views as one part of a bundle, straight
// from the source. A part is on disk before the ledger knows of it, so a crash
// between the two only means writing it again.
func (a *Activities) exportStream(ctx context.Context, dest destination.Streams, in migration.ExportInput) (migration.ExportOutcome, error) {
	lane, leave := a.Reasons.join(in.Migration, dest.WaitingFor)
	defer leave()
	pulse := startPulse(ctx, func() migration.Reason { return a.Reasons.of(lane) })
	defer pulse.stopBeating()
	if word := a.Controls.Control(in.Migration, in.Run); word == migration.ControlPause || word == migration.ControlCancel {
		return migration.ExportOutcome{Stopped: word}, nil
	}

	state, err := a.Ledger.TakeOver(ctx, in.Migration, in.Partition, in.Run)
	if err != nil {
		return migration.ExportOutcome{}, fmt.Errorf("take over %s: %w", in.Partition.ID, err)
	}
	if err := a.settleRecorded(ctx, state); err != nil {
		return migration.ExportOutcome{}, err
	}
	ids, whole, err := a.partIDs(ctx, in, state)
	if err != nil {
		return migration.ExportOutcome{}, err
	}
	if whole || len(ids) > 0 {
		if err := a.writePart(ctx, dest, in, state, ids, pulse); err != nil {
			return interrupted(in, err)
		}
	}
	if in.Limit == 0 {
		if err := a.Ledger.EndPartition(ctx, state.Hold); err != nil {
			return migration.ExportOutcome{}, fmt.Errorf("end %s: %w", in.Partition.ID, err)
		}
	}
	return migration.ExportOutcome{Done: true}, nil
}

// partIDs says what the next part holds: the whole range, when nothing of it
// was written yet, or the ids that have no outcome.
func (a *Activities) partIDs(ctx context.Context, in migration.ExportInput, state migration.PartitionState) (ids []string, whole bool, err error) {
	written, err := a.broughtOnDemand(ctx, in)
	if err != nil {
		return nil, false, err
	}
	if len(state.Batches) == 0 && len(written) == 0 && !state.Ended && in.Limit == 0 {
		return nil, true, nil
	}
	listed, err := a.Source.IDs(ctx, in.Migration.Customer, in.Partition)
	if err != nil {
		return nil, false, fmt.Errorf("list the ids of %s: %w", in.Partition.ID, err)
	}
	for _, b := range state.Batches {
		for _, id := range b.SourceIDs {
			written[id] = true
		}
	}
	room := len(listed)
	if in.Limit > 0 {
		room = max(0, int(in.Limit)-len(written))
	}
	for _, r := range listed {
		if !written[r.ID] && len(ids) < room {
			ids = append(ids, r.ID)
		}
	}
	return ids, false, nil
}

// broughtOnDemand are the people of the partition's entity whom an earlier
// publishing brought: they are in the bundle, though no part of a range holds
// them.
func (a *Activities) broughtOnDemand(ctx context.Context, in migration.ExportInput) (map[string]bool, error) {
	brought := map[string]bool{}
	if in.Partition.Entity == migration.Tickets {
		return brought, nil
	}
	outcomes, err := a.Ledger.Outcomes(ctx, in.Migration, migration.OnDemand(in.Partition.Entity).ID)
	if err != nil {
		return nil, fmt.Errorf("read who was brought on demand: %w", err)
	}
	for id := range outcomes {
		brought[id] = true
	}
	return brought, nil
}

// passOf numbers a part of a partition. The range is 0. A catch-up's number is
// made from its ids, so that it is never that of another one, not even when a
// lost ledger was rebuilt from a bundle that holds parts of which it knows
// nothing.
func passOf(ids []string) int {
	if len(ids) == 0 {
		return 0
	}
	h := fnv.New32a()
	for _, id := range ids {
		fmt.Fprintf(h, "%q", id)
	}
	return 1 + int(h.Sum32()>>2) // it fits into the ledger's 31 bits
}

// writePart writes one part and settles it.
func (a *Activities) writePart(ctx context.Context, dest destination.Streams, in migration.ExportInput, state migration.PartitionState, ids []string, pulse *pulse) error {
	columns, err := a.Source.Columns(ctx)
	if err != nil {
		return fmt.Errorf("ask for the columns of %s: %w", in.Partition.ID, err)
	}
	files, err := a.partFiles(ctx, in, pulse)
	if err != nil {
		return err
	}
	q := source.PartQuery{Customer: in.Migration.Customer, Partition: in.Partition, IDs: ids, Views: viewsOf(in.Partition.Entity)}
	if len(ids) == 0 {
		// A range is cut at the plan's moment, so that all ranges together are
		// of one. What was listed by its ids came later, and is known to.
		if q.AsOf, err = a.asOf(ctx, in.Migration); err != nil {
			return err
		}
	}
	var rows source.PartRows
	pass := passOf(ids)
	part, err := dest.WritePart(ctx, destination.PartsInput{
		Migration: in.Migration,
		Partition: in.Partition,
		Pass:      pass,
		IDs:       ids,
		Columns:   columns,
		Run:       in.Run,
		Fence:     state.Hold.Fence,
		Files:     files,
	}, q.Views, func(open func(view string) (io.Writer, error)) (map[string]int64, error) {
		var err error
		rows, err = a.Source.CopyPart(ctx, q, func(view string) (io.Writer, error) {
			w, err := open(view)
			return &beating{Writer: w, pulse: pulse}, err
		})
		return rows.Rows, err
	})
	if err != nil {
		return err // it says which part
	}
	return a.recordPart(ctx, in, state.Hold, pass, part, rows)
}

// asOf is the moment of the migration's plan.
func (a *Activities) asOf(ctx context.Context, m migration.Migration) (time.Time, error) {
	plan, _, err := a.Ledger.Plan(ctx, m)
	if err != nil {
		return time.Time{}, fmt.Errorf("read the plan of %s: %w", m, err)
	}
	return plan.AsOf, nil
}

// recordPart writes down that a part is on disk, and with it every record in it.
func (a *Activities) recordPart(ctx context.Context, in migration.ExportInput, h migration.Hold, pass int, part destination.Part, rows source.PartRows) error {
	ids := rows.IDs
	items := make([]migration.Item, len(ids))
	for i, id := range ids {
		items[i] = migration.Item{SourceID: id, Outcome: migration.Created}
	}
	if len(ids) == 0 {
		return nil
	}
	b := migration.Batch{
		ID:         migration.BatchID(in.Migration, in.Partition.ID, 0, pass, ids),
		Entity:     in.Partition.Entity,
		Partition:  in.Partition.ID,
		SourceIDs:  ids,
		Generation: pass,
		InOrder:    pass == 0,
		ReadAt:     rows.ReadAt,
		Files:      part.Files,
	}
	if _, err := a.Ledger.Intend(ctx, h, b, in.Timings.SendWithin); err != nil {
		return fmt.Errorf("write down part %d of %s: %w", pass, in.Partition.ID, err)
	}
	err := a.Ledger.RecordAndSettle(ctx, h, b.ID, migration.Evidence{Kind: migration.EvidenceResults, Note: "sha256:" + part.SHA256}, migration.Settlement{Items: items, Verdict: verdictDecided, Files: itemsOf(part.Files)})
	if err != nil {
		return fmt.Errorf("settle part %d of %s: %w", pass, in.Partition.ID, err)
	}
	return nil
}

// settleRecorded settles a part that was written down but not settled: it was
// on disk before it was written down.
func (a *Activities) settleRecorded(ctx context.Context, state migration.PartitionState) error {
	for _, b := range state.Batches {
		if b.Settled {
			continue
		}
		items := notSent(b.SourceIDs)
		for i := range items {
			items[i].Outcome = migration.Created
		}
		if err := a.Ledger.Settle(ctx, state.Hold, b.ID, migration.Settlement{Items: items, Verdict: verdictDecided, Files: itemsOf(b.Files)}); err != nil {
			return fmt.Errorf("settle batch %s: %w", b.ID, err)
		}
	}
	return nil
}

// viewsOf lists the views that hold an entity's records.
func viewsOf(e migration.Entity) []string {
	if e == migration.Tickets {
		return []string{"tickets", "ticket_tags", "comments", "attachments"}
	}
	return []string{string(e)}
}

// beating notes progress as bytes move: a stream beats on those, and not on
// each of its many rows.
type beating struct {
	io.Writer
	pulse  *pulse
	silent int // bytes since the last note
}

// beatBytes is far less than a stream moves between two beats.
const beatBytes = 64 << 10

func (b *beating) Write(p []byte) (int, error) {
	n, err := b.Writer.Write(p)
	if b.silent += n; b.silent >= beatBytes {
		b.silent = 0
		b.pulse.progress(0)
	}
	return n, err
}
