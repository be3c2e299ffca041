package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"

	"farewell/migration"
)

// phase is what the activities of one kind took.
type phase struct {
	begin, end time.Duration // since the workflow's start: of the first, of the last
	activities int
	working    time.Duration // together, while lanes work side by side
}

// phases says where a migration's time went.
func (b *bench) phases(ctx context.Context, m migration.Migration) (string, error) {
	events := b.temporal.GetWorkflowHistory(ctx, m.WorkflowID(), "", false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	scheduled := map[int64]*historypb.HistoryEvent{}
	started := map[int64]time.Time{}
	all := map[string]*phase{}
	var zero, last time.Time
	for events.HasNext() {
		ev, err := events.Next()
		if err != nil {
			return "", fmt.Errorf("read the history of %s: %w", m, err)
		}
		last = ev.EventTime.AsTime()
		if zero.IsZero() {
			zero = last
		}
		if ev.GetActivityTaskScheduledEventAttributes() != nil {
			scheduled[ev.EventId] = ev
		}
		if a := ev.GetActivityTaskStartedEventAttributes(); a != nil {
			started[a.ScheduledEventId] = last
		}
		if a := ev.GetActivityTaskCompletedEventAttributes(); a != nil {
			of := scheduled[a.ScheduledEventId]
			kind := of.GetActivityTaskScheduledEventAttributes().ActivityType.Name
			if kind == string(migration.ExportPartition) {
				kind, _, _ = strings.Cut(of.GetActivityTaskScheduledEventAttributes().ActivityId, "-")
			}
			p := all[kind]
			if p == nil {
				p = &phase{begin: of.EventTime.AsTime().Sub(zero)}
				all[kind] = p
			}
			p.end = last.Sub(zero)
			p.activities++
			p.working += last.Sub(started[a.ScheduledEventId])
		}
	}
	kinds := slices.SortedFunc(maps.Keys(all), func(a, b string) int { return int(all[a].begin - all[b].begin) })
	var words []string
	for _, kind := range kinds {
		p := all[kind]
		words = append(words, fmt.Sprintf("%s %d× %.2f–%.2f s (%.2f s of work)", kind, p.activities, p.begin.Seconds(), p.end.Seconds(), p.working.Seconds()))
	}
	return fmt.Sprintf("%s; end %.2f s", strings.Join(words, ", "), last.Sub(zero).Seconds()), nil
}
