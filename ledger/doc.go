// Package ledger remembers in Postgres what was written where.
package ledger
