// Package zendesktest pretends to be Zendesk: an http.Handler that holds many accounts, each under
// /accounts/{name}/api/v2, with the rules, limits and unpleasant habits that Zendesk's documentation and public
// recordings of its answers show. It cuts, refuses and defaults as they do, so that a client's faults cannot hide.
//
// It shares no type with any client: both sides read https://developer.zendesk.com/api-reference/ for themselves.
// The control API under /_sandbox/ creates accounts, plans faults and shows what arrived; docs/sandbox.md describes it.
package zendesktest
