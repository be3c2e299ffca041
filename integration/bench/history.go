package main

import (
	"context"
	"fmt"
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
				took:      ev.EventTime.AsTime().Sub(started[a.ScheduledEventId]),
				heartbeat: of.HeartbeatTimeout.AsDuration(),
			})
		}
	}
	return h, nil
}
