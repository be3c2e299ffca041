// Package attachment opens attachments where the source keeps them: at a URL,
// in a bucket of an object store, or in the source's own database. It fetches
// from places that the configuration names and from no others, in constant
// memory, and lets nobody take a file that was cut short for a whole one.
package attachment
