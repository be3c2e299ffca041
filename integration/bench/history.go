package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"

	"farewell/migration"
)

// history is what a migration has left in Temporal.
type history struct {
	events     int
	activities []ranActivity
}

// ranActivity is an attempt that succeeded.
type ranActivity struct {
	kind      string
	id        string
	began     time.Time
	took      time.Duration
	heartbeat time.Duration // its timeout; 0: it does not beat
}

func (b *bench) readHistory(ctx context.Context, m migration.Migration) (history, error) {
	var h history
	scheduled := map[int64]*historypb.ActivityTaskScheduledEventAttributes{}
	started := map[int64]time.Time{}
	events := b.temporal.GetWorkflowHistory(ctx, m.WorkflowID(), "", false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		ev, err := events.Next()
		if err != nil {
			return h, fmt.Errorf("read the history of %s: %w", m, err)
		}
		h.events++
		if a := ev.GetActivityTaskScheduledEventAttributes(); a != nil {
			scheduled[ev.EventId] = a
		}
		if a := ev.GetActivityTaskStartedEventAttributes(); a != nil {
			started[a.ScheduledEventId] = ev.EventTime.AsTime()
		}
		if a := ev.GetActivityTaskCompletedEventAttributes(); a != nil {
			of := scheduled[a.ScheduledEventId]
			h.activities = append(h.activities, ranActivity{
				kind:      of.ActivityType.Name,
				id:        of.ActivityId,
				began:     started[a.ScheduledEventId],
				took:      ev.EventTime.AsTime().Sub(started[a.ScheduledEventId]),
				heartbeat: of.HeartbeatTimeout.AsDuration(),
			})
		}
	}
	return h, nil
}

// phase is what the activity belongs to: exports by entity, others by kind.
func (a ranActivity) phase() string {
	if a.kind == string(migration.ExportPartition) {
		entity, _, _ := strings.Cut(a.id, "-")
		return entity
	}
	return a.kind
}

// phases tells how long each lasted, from its first activity's start to its
// last one's end.
func (h history) phases() string {
	type span struct{ began, ended time.Time }
	spans := map[string]*span{}
	var order []string
	for _, a := range h.activities {
		s := spans[a.phase()]
		if s == nil {
			s = &span{began: a.began}
			spans[a.phase()] = s
			order = append(order, a.phase())
		}
		if end := a.began.Add(a.took); end.After(s.ended) {
			s.ended = end
		}
	}
	var words []string
	for _, phase := range order {
		words = append(words, fmt.Sprintf("%s %.1f s", phase, spans[phase].ended.Sub(spans[phase].began).Seconds()))
	}
	return strings.Join(words, ", ")
}
