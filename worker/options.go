package main

import (
	"time"

	"go.temporal.io/sdk/worker"
)

// What one worker process takes on at a time. Its memory and its connections
// are bounded by these, however many migrations are started.
const (
	// exportSlots is how many partitions are exported at a time: eight
	// migrations with three lanes. A lane holds a page and ten requests.
	exportSlots = 24

	// controlSlots bounds the short activities and those that only read.
	controlSlots = 16

	// workflowSlots bounds the workflow tasks: they are short and need CPU.
	workflowSlots = 32

	// pollers of each kind. With the default of 2, a worker of this size did
	// 120 activities a second instead of 220.
	pollers = 8

	// leastPollers is what a quiet worker goes down to.
	leastPollers = 4

	// sourceConns protects the closing product's own database: no more
	// queries than this at a time.
	sourceConns = 8

	// ledgerConns is for short statements of many lanes. Each is a process at
	// the server with plans of its own: twelve cost it a tenth more CPU time
	// than six, and brought nothing faster.
	ledgerConns = 6

	// sourceStatement is the statement_timeout at the source. A page takes
	// milliseconds where the index is there.
	sourceStatement = 15 * time.Second

	// workerStop is how long a stopping worker waits for its activities. The
	// default of 0 would cut them off and cost an attempt at every deploy.
	workerStop = 30 * time.Second

	// beatEvery is the longest time between two heartbeats that are really
	// sent. Beats are billed; pause and cancel come through the control
	// channel, which is faster.
	beatEvery = 24 * time.Second
)

func decisionOptions(fatal chan<- error) worker.Options {
	return worker.Options{
		MaxConcurrentActivityExecutionSize:     controlSlots,
		MaxConcurrentWorkflowTaskExecutionSize: workflowSlots,
		WorkflowTaskPollerBehavior:             workflowPollers(),
		MaxConcurrentActivityTaskPollers:       pollers,
		MaxHeartbeatThrottleInterval:           beatEvery,
		WorkerStopTimeout:                      workerStop,
		OnFatalError:                           func(err error) { fatal <- err },
	}
}

func exportOptions(fatal chan<- error) worker.Options {
	return worker.Options{
		DisableWorkflowWorker:              true,
		MaxConcurrentActivityExecutionSize: exportSlots,
		MaxConcurrentActivityTaskPollers:   pollers,
		MaxHeartbeatThrottleInterval:       beatEvery,
		WorkerStopTimeout:                  workerStop,
		OnFatalError:                       func(err error) { fatal <- err },
	}
}

// workflowPollers keeps pollers at the worker's own queue and at the common one.
// A fixed number divides itself between the two by what the last answers said,
// so after a burst all of them could wait a minute at the worker's own, while
// nobody took a new migration's first task nor a question to an ended one.
func workflowPollers() worker.PollerBehavior {
	return worker.NewPollerBehaviorAutoscaling(worker.PollerBehaviorAutoscalingOptions{
		InitialNumberOfPollers: pollers,
		MinimumNumberOfPollers: leastPollers,
		MaximumNumberOfPollers: pollers,
	})
}
