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
// What Zendesk does not take is changed as little as possible: a comment over
// 65,000 bytes becomes several, a blank one says "(no text)", a ticket without
// any gets the private one "(no messages)"; comments are a second apart at
// least; a subject over 255 characters is cut, and whole in a private comment
// at the ticket's end; an author who is unknown is stood in for by the
// requester, a requester by the first known author of a public comment, else
// by the user whose credentials are in use.
//
// Vendor facts come from https://developer.zendesk.com/api-reference/ and are
// cited where they are used.
package zendesk
