package migration

// Search attributes of a migration's workflow. An unregistered one fails the
// workflow task for ever, so the worker refuses to start without them;
// `starter setup` registers them.
const (
	AttributeCustomer    = "FarewellCustomer"    // Keyword
	AttributeDestination = "FarewellDestination" // Keyword
	AttributeState       = "FarewellState"       // Keyword
	AttributeAttention   = "FarewellAttention"   // Bool
	AttributePercent     = "FarewellPercent"     // Int
	AttributeFailed      = "FarewellFailed"      // Int
)
