package zendesktest

import (
	"math"
	"net/http"
	"slices"
	"strconv"
)

// maxArrivals is how many arrivals an account remembers.
const maxArrivals = 200_000

// arrival is one request in the statistics.
type arrival struct {
	at       int64 // nanoseconds since 1970
	endpoint *route
	client   *client
	status   int16 // 0 when the connection was cut
	edge     bool
}

// accountStats is what the account counted since its creation, its last reset, or the server's start.
type accountStats struct {
	requests         int64
	byEndpoint       map[string]int64
	answers          map[int]int64
	insideRetryAfter int64
	edgeBlocked      int64
	bytesIn          int64
	bytesOut         int64
	arrivals         []arrival
	oldest           int // where the ring of arrivals begins, once it is full
}

func newAccountStats() accountStats {
	return accountStats{byEndpoint: map[string]int64{}, answers: map[int]int64{}}
}

// unknownRoute stands for paths that are no endpoint.
var unknownRoute = &route{name: "unknown"}

func (a *account) countArrival(q *request) {
	if a.insideRetryAfter(q) {
		a.stats.insideRetryAfter++
		q.client.insideRetryAfter.Add(1)
	}
}

// record counts the request with its answer.
func (a *account) record(q *request, r *http.Request, reply answer) {
	status := reply.status
	if reply.cut {
		status = 0
	}
	q.client.requests.Add(1)
	q.client.bytesIn.Add(max(0, r.ContentLength))
	q.client.bytesOut.Add(int64(len(reply.body)))
	if status == http.StatusTooManyRequests {
		q.client.answers429.Add(1)
	}
	endpoint := q.route
	if endpoint == nil {
		endpoint = unknownRoute
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stats.requests++
	a.stats.byEndpoint[endpoint.name]++
	a.stats.answers[status]++
	a.stats.bytesIn += max(0, r.ContentLength)
	a.stats.bytesOut += int64(len(reply.body))
	a.stats.remember(arrival{at: q.arrived, endpoint: endpoint, client: q.client, status: int16(status)})
}

// countEdgeBlock counts a request that never reached Zendesk.
func (a *account) countEdgeBlock(c *client, now int64, status int) {
	c.requests.Add(1)
	c.edgeBlocked.Add(1)
	if status == http.StatusTooManyRequests {
		c.answers429.Add(1)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stats.requests++
	a.stats.edgeBlocked++
	a.stats.answers[status]++
	a.stats.remember(arrival{at: now, endpoint: unknownRoute, client: c, status: int16(status), edge: true})
}

func (s *accountStats) remember(one arrival) {
	if len(s.arrivals) < maxArrivals {
		s.arrivals = append(s.arrivals, one)
		return
	}
	s.arrivals[s.oldest] = one
	s.oldest = (s.oldest + 1) % maxArrivals
}

// inOrder lists the arrivals by their time.
func (s *accountStats) inOrder() []arrival {
	list := slices.Clone(s.arrivals)
	slices.SortStableFunc(list, func(x, y arrival) int { return int(x.at - y.at) })
	return list
}

// statistics is what the control API shows, of one account or of all together.
type statistics struct {
	Requests             int64            `json:"requests"`
	RequestsByEndpoint   map[string]int64 `json:"requests_by_endpoint"`
	Answers              map[string]int64 `json:"answers"` // by status; "cut" for none
	Answers429           int64            `json:"answers_429"`
	InsideRetryAfter     int64            `json:"requests_inside_retry_after"`
	EdgeBlocked          int64            `json:"edge_blocked"`
	PeakPerWindow        int              `json:"peak_requests_per_window"`
	PeakOpenJobs         int              `json:"peak_open_jobs"`
	OpenJobs             int              `json:"open_jobs"`
	Jobs                 int64            `json:"jobs"`
	Tickets              int              `json:"tickets"`
	Comments             int              `json:"comments"`
	Users                int              `json:"users"`
	Agents               int              `json:"agents"`
	Organizations        int              `json:"organizations"`
	Memberships          int              `json:"memberships"`
	Attachments          int              `json:"attachments"`
	EmailsSent           int              `json:"emails_sent"`
	DuplicateExternalIDs duplicateCounts  `json:"duplicate_external_ids"`
	BytesIn              int64            `json:"bytes_in"`
	BytesOut             int64            `json:"bytes_out"`
	FaultsFired          []int            `json:"faults_fired,omitempty"`
	Clients              []clientCounts   `json:"clients,omitempty"`
	Arrivals             []shownArrival   `json:"arrivals,omitempty"`
}

// duplicateCounts is how many records beyond the first share an external id. Zendesk itself prevents it for users and
// organizations; it is counted all the same.
type duplicateCounts struct {
	Tickets       int `json:"tickets"`
	Users         int `json:"users"`
	Organizations int `json:"organizations"`
}

type clientCounts struct {
	IP               string `json:"ip"`
	Requests         int64  `json:"requests"`
	Answers429       int64  `json:"answers_429"`
	InsideRetryAfter int64  `json:"requests_inside_retry_after"`
	EdgeBlocked      int64  `json:"edge_blocked"`
	BytesIn          int64  `json:"bytes_in"`
	BytesOut         int64  `json:"bytes_out"`
}

type shownArrival struct {
	At       int64  `json:"at"` // milliseconds since 1970
	Account  string `json:"account"`
	Endpoint string `json:"endpoint"`
	Status   int16  `json:"status"` // 0 when the connection was cut
	Client   string `json:"client"`
	Edge     bool   `json:"edge,omitempty"`
}

// noArrivals leaves the arrivals out of statistics.
const noArrivals = math.MaxInt64

// statistics with the arrivals since a time, in milliseconds since 1970.
func (a *account) statistics(since int64) statistics {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.advance(a.clock())
	s := statistics{
		Requests:           a.stats.requests,
		RequestsByEndpoint: map[string]int64{},
		Answers:            map[string]int64{},
		Answers429:         a.stats.answers[http.StatusTooManyRequests],
		InsideRetryAfter:   a.stats.insideRetryAfter,
		EdgeBlocked:        a.stats.edgeBlocked,
		PeakPerWindow:      a.limits.account.peak,
		PeakOpenJobs:       a.jobs.peak,
		OpenJobs:           len(a.jobs.open),
		Jobs:               a.jobs.created,
		Tickets:            a.tickets.live,
		Comments:           a.tickets.comments,
		Users:              len(a.users.live()),
		Organizations:      len(a.organizations.live()),
		Memberships:        len(a.memberships.all),
		Attachments:        a.tickets.attachments,
		EmailsSent:         a.users.mails,
		DuplicateExternalIDs: duplicateCounts{
			Tickets:       a.tickets.duplicates(),
			Users:         countDuplicates(a.users.all, func(u *user) string { return u.externalID }),
			Organizations: countDuplicates(a.organizations.live(), func(o *organization) string { return o.externalID }),
		},
		BytesIn:  a.stats.bytesIn,
		BytesOut: a.stats.bytesOut,
	}
	for _, u := range a.users.live() {
		if u.role != "end-user" {
			s.Agents++
		}
	}
	a.statisticsByName(&s)
	if since == noArrivals {
		return s
	}
	for _, one := range a.stats.inOrder() {
		if one.at/1e6 >= since {
			s.Arrivals = append(s.Arrivals, shownArrival{one.at / 1e6, a.name, one.endpoint.name, one.status, one.client.ip, one.edge})
		}
	}
	return s
}

func (a *account) statisticsByName(s *statistics) {
	for name, n := range a.stats.byEndpoint {
		s.RequestsByEndpoint[name] = n
	}
	for status, n := range a.stats.answers {
		s.Answers[statusName(status)] = n
	}
	for i := range a.dice {
		s.FaultsFired = append(s.FaultsFired, a.dice[i].fired)
	}
}

func statusName(status int) string {
	if status == 0 {
		return "cut"
	}
	return strconv.Itoa(status)
}

// countDuplicates counts by the rule that Zendesk compares with: without case.
func countDuplicates[R any](records []R, externalID func(R) string) int {
	seen := make(map[string]bool, len(records))
	n := 0
	for _, r := range records {
		key := nameKey(externalID(r))
		if key == "" {
			continue
		}
		if seen[key] {
			n++
		}
		seen[key] = true
	}
	return n
}

// add sums two accounts' statistics; peaks are the larger one.
func (s *statistics) add(o statistics) {
	s.Requests += o.Requests
	for name, n := range o.RequestsByEndpoint {
		s.RequestsByEndpoint[name] += n
	}
	for name, n := range o.Answers {
		s.Answers[name] += n
	}
	s.Answers429 += o.Answers429
	s.InsideRetryAfter += o.InsideRetryAfter
	s.EdgeBlocked += o.EdgeBlocked
	s.PeakPerWindow = max(s.PeakPerWindow, o.PeakPerWindow)
	s.PeakOpenJobs = max(s.PeakOpenJobs, o.PeakOpenJobs)
	s.OpenJobs += o.OpenJobs
	s.Jobs += o.Jobs
	s.Tickets += o.Tickets
	s.Comments += o.Comments
	s.Users += o.Users
	s.Agents += o.Agents
	s.Organizations += o.Organizations
	s.Memberships += o.Memberships
	s.Attachments += o.Attachments
	s.EmailsSent += o.EmailsSent
	s.DuplicateExternalIDs.Tickets += o.DuplicateExternalIDs.Tickets
	s.DuplicateExternalIDs.Users += o.DuplicateExternalIDs.Users
	s.DuplicateExternalIDs.Organizations += o.DuplicateExternalIDs.Organizations
	s.BytesIn += o.BytesIn
	s.BytesOut += o.BytesOut
	s.Arrivals = append(s.Arrivals, o.Arrivals...)
}

// statistics of all accounts, with the clients.
func (s *Server) statistics(since int64) statistics {
	sum := statistics{RequestsByEndpoint: map[string]int64{}, Answers: map[string]int64{}}
	for _, a := range *s.accounts.Load() {
		sum.add(a.statistics(since))
	}
	slices.SortStableFunc(sum.Arrivals, func(x, y shownArrival) int { return int(x.At - y.At) })
	s.edge.clients.Range(func(_, value any) bool {
		c := value.(*client)
		sum.Clients = append(sum.Clients, clientCounts{
			IP: c.ip, Requests: c.requests.Load(), Answers429: c.answers429.Load(), InsideRetryAfter: c.insideRetryAfter.Load(),
			EdgeBlocked: c.edgeBlocked.Load(), BytesIn: c.bytesIn.Load(), BytesOut: c.bytesOut.Load(),
		})
		return true
	})
	return sum
}
