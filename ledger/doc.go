// Package ledger remembers in Postgres what was written where, so that every
// other part of Farewell may die at any line. It has a schema of its own,
// farewell_ledger, made by Migrate ("starter setup").
//
// # What is kept
//
// For each batch of up to 100 records, rows that are only ever inserted:
//
//	intents      written before a batch is sent: its source ids, and until when it may go out
//	evidence     what became known about it: the job, the lost answer, the results; from any attempt
//	settlements  the one decision that ends it: an outcome and a target id for each record
//
// Small tables, changed in place:
//
//	migrations     a customer on the way to an account; its plan's time and its control word
//	runs           who began each run and why, its state, what its comparison and sweep found
//	partitions     the plan's key ranges, each with the fence of whoever may decide about it
//	open_batches   the batches without a settlement, and whether they are in doubt
//	tallies        sums of the decisions in force, by partition and run, each in a few rows
//	not_delivered  the records whose latest batch failed, skipped or did not send them, with the reason
//	targets        where organizations and users are in the account, a row for each
//	changes        what was changed in a record on its way, a row for each value and rule
//	mappings       the mappings of runs, each once
//	differences    what the last comparison and the last sweep listed
//	account_pauses, account_budgets, workers, reasons
//
// Ids in intents and settlements are one text with the unit separator between
// them: id_list(source_ids) is an array, and the n-th letter of outcomes is the
// outcome of the n-th id (c created, a already there, s skipped, f failed,
// - not sent). So, which batch brought ticket 4711?
//
//	select i.batch_id, s.settled_at, substr(s.outcomes, u.n::int, 1)
//	from intents i
//	join settlements s using (migration_id, batch_id), unnest(id_list(i.source_ids)) with ordinality u(id, n)
//	where u.id = '4711'
//
// # How big it gets
//
// A ticket takes 36 bytes, indexes included, with source ids of 9 digits and
// target ids of 11, in batches of 100 (measured over 200,000 tickets): 7 GB for
// 200 million. A person takes about 120 bytes more, a record that was not
// delivered about 200, with a short reason.
//
// # How it keeps its word
//
// Decisions (Intend, Settle, EndPartition) need the fence that TakeOver issued,
// and hold a shared lock on the partition's row until they are committed, so
// TakeOver sees all of an earlier attempt's or none. Evidence needs no fence.
// Every write is one round trip and one transaction, with synchronous_commit on;
// the writes of batches that come at the same time share one, and each of them
// has its own when that fails. Each may be repeated after an error of which it
// is unknown whether it took effect, since batch ids come from the data. Each
// returns within 10 seconds.
//
// A record counts once, by its latest decision; while it is in an open batch it
// is on its way, or in doubt. Counts reads sums that are moved in the same
// transaction as each settlement; ExactCounts forms them from the batches.
//
// Controls follows the control channel: LISTEN for what is urgent, and a poll
// every 500 ms for what a notification did not bring.
package ledger
