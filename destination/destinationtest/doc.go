// Package destinationtest is the conformance suite that every destination
// passes: it looks at outcomes and counts, through the contract alone.
package destinationtest
