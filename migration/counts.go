package migration

// Counts is the account of one entity or partition, by distinct source id.
// Conservation demands Read = Created + AlreadyThere + Skipped + Failed +
// InDoubt; whatever of Read is in none of them is still on its way.
type Counts struct {
	Read         int64 `json:"read"`
	Created      int64 `json:"created"`
	AlreadyThere int64 `json:"already_there"`
	Skipped      int64 `json:"skipped"`
	Failed       int64 `json:"failed"`
	InDoubt      int64 `json:"in_doubt"`
}

// Add returns the sum of both accounts.
func (c Counts) Add(d Counts) Counts {
	return Counts{
		Read:         c.Read + d.Read,
		Created:      c.Created + d.Created,
		AlreadyThere: c.AlreadyThere + d.AlreadyThere,
		Skipped:      c.Skipped + d.Skipped,
		Failed:       c.Failed + d.Failed,
		InDoubt:      c.InDoubt + d.InDoubt,
	}
}

// Settled is the number of records whose fate is decided.
func (c Counts) Settled() int64 { return c.Created + c.AlreadyThere + c.Skipped + c.Failed }

// Conserved tells whether every record that was read has ended as exactly one
// of created, already there, skipped or failed, with nothing in doubt.
func (c Counts) Conserved() bool { return c.InDoubt == 0 && c.Read == c.Settled() }

// EntityCounts is the account of a migration, by entity.
type EntityCounts map[Entity]Counts

// Total adds up everything that is counted.
func (e EntityCounts) Total() Counts {
	var sum Counts
	for _, counted := range append(Work(), Attachments, Placeholders) {
		sum = sum.Add(e[counted])
	}
	return sum
}
