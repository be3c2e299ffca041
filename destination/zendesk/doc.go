// Package zendesk writes a customer's records into a Zendesk account through
// the bulk import, so that every record arrives once and its fate is known.
//
// A request that has an effect is sent once (client.go, conn.go) and its
// answer is judged in one place (errors.go). Requests wait for what the
// account was granted (pace.go, slots.go). Jobs are polled together (jobs.go),
// their results become outcomes (results.go), and what stayed without an
// answer is looked up (resolver.go) in the job list and the incremental export
// (export.go).
//
// Vendor facts come from https://developer.zendesk.com/api-reference/ and are
// cited where they are used.
package zendesk
