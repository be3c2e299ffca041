package migration

import "time"

// EgressState is whether requests may leave under an address.
type EgressState string

// The states of an egress.
const (
	EgressOpen    EgressState = "open"    // requests leave
	EgressBlocked EgressState = "blocked" // the edge refused us: none leaves but one probe at a time
	EgressClosed  EgressState = "closed"  // an operator closed it: none leaves
)

// Egress is the address under which a group of workers is seen from outside,
// as their control channel shows it.
type Egress struct {
	Name      string      `json:"egress"`
	PerSecond float64     `json:"per_second"` // requests, over all accounts and workers; 0: no cap
	State     EgressState `json:"state"`
	Since     time.Time   `json:"since"`              // of the state
	Account   string      `json:"account,omitempty"`  // whose answer blocked it
	Evidence  string      `json:"evidence,omitempty"` // what the edge answered: status and headers
	Failed    int         `json:"failed_probes"`      // in a row
	ProbeAt   time.Time   `json:"probe_at"`           // no probe before
	By        string      `json:"by,omitempty"`       // who last opened or closed it, or set its cap
	Why       string      `json:"why,omitempty"`
	Accounts  []EdgeBlock `json:"blocked_accounts"`
}

// EdgeBlock is an account that the edge refuses while it lets others through.
type EdgeBlock struct {
	Account  string    `json:"account"`
	Since    time.Time `json:"since"`
	Until    time.Time `json:"until"` // when it is tried again
	Times    int       `json:"times"` // in a row
	Evidence string    `json:"evidence"`
}

// Departures are moments at which requests may leave, by this machine's clock.
type Departures struct {
	First   time.Time
	Every   time.Duration
	Granted int
	Retry   time.Duration // when none was granted: when to ask again
}

// ProbeResult is what a probe through a blocked egress found.
type ProbeResult string

// The results of a probe.
const (
	ProbeWell    ProbeResult = "well"    // the vendor itself answered
	ProbeRefused ProbeResult = "refused" // the edge did
	ProbeUnheard ProbeResult = "unheard" // nobody did: it proves nothing
)
