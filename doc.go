// Package farewell only holds the map of the repository, and the test that
// keeps it true: layout_test.go says who may import whom.
//
//	migration/      the vocabulary: plain data and pure functions
//	workflows/      decides: deterministic, one workflow per customer
//	activities/     does: touches the world on behalf of one step
//	mapping/        the mapping file: how a customer's words become those of their account
//	source/         reads a customer's records from Postgres in key order
//	attachment/     opens customers' files where the source keeps them
//	ledger/         remembers what was written where
//	destination/    where records go: the contract, and a folder for each destination
//	config/         the only reader of the environment
//	telemetry/      logs with redaction, metrics, health
//	worker/         main: all wiring
//	starter/        main: the operator's commands
//	sandbox/        main: a stand-in for Zendesk, and sample customers for Postgres
//	integration/    end to end, on real Temporal and real Postgres; a main of its own for each long run
//	tools/          the development environment and the pinned build tools, modules of their own
//	docs/ deploy/   for people, and for the machines that run it
//
// Start with README.md; ./temporal-dev.sh demo shows all of it at work.
package farewell
