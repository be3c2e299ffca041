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

// counted lists every entity that has counts.
func counted() []Entity { return append(Work(), Attachments, Placeholders) }

// Total adds up everything that is counted.
func (e EntityCounts) Total() Counts {
	var sum Counts
	for _, entity := range counted() {
		sum = sum.Add(e[entity])
	}
	return sum
}

// Equal tells whether all counts are the same; none at all are zeros.
func (e EntityCounts) Equal(o EntityCounts) bool {
	for _, entity := range counted() {
		if e[entity] != o[entity] {
			return false
		}
	}
	return true
}
