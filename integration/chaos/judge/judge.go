// Package judge compares what the source holds with what the accounts hold. It
// shares no line with the product: it reads the sample CRM's own tables by SQL
// and the accounts through the sandbox's public API.
package judge

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Case is one customer's account to be judged.
type Case struct {
	Source  string          // connection URL of the sample CRM
	Client  string          // the CRM's tenant
	Sandbox string          // address of the sandbox
	Account string          // its account
	Failing map[string]bool // conversations that the account refuses: they must not be there
}

// Verdict counts, and names the first few of each.
type Verdict struct {
	Tickets     int
	Comments    int
	Lost        int // in the source, and not in the account
	Duplicated  int // live tickets beyond the first of a conversation
	Misreported int // in the account with other content, or without a conversation
	Examples    []string
}

// Add sums up.
func (v *Verdict) Add(w Verdict) {
	v.Tickets += w.Tickets
	v.Comments += w.Comments
	v.Lost += w.Lost
	v.Duplicated += w.Duplicated
	v.Misreported += w.Misreported
	v.Examples = append(v.Examples, w.Examples...)
}

// examples bounds how many faults of a case are named.
const examples = 5

func (v *Verdict) name(format string, args ...any) {
	if len(v.Examples) < examples {
		v.Examples = append(v.Examples, fmt.Sprintf(format, args...))
	}
}

// Judge looks at one customer.
func Judge(ctx context.Context, c Case) (Verdict, error) {
	conn, err := pgx.Connect(ctx, c.Source)
	if err != nil {
		return Verdict{}, fmt.Errorf("connect to the source: %w", err)
	}
	defer conn.Close(ctx)
	people, err := readPeople(ctx, conn, c)
	if err != nil {
		return Verdict{}, err
	}
	want, err := expected(ctx, conn, c, people)
	if err != nil {
		return Verdict{}, err
	}
	return judge(ctx, c, people, want)
}

func judge(ctx context.Context, c Case, people directory, want map[string]ticket) (Verdict, error) {
	var v Verdict
	seen := map[string]int{}
	err := eachTicket(ctx, c, func(got arrived) {
		v.Tickets++
		v.Comments += len(got.Comments)
		id := strings.TrimPrefix(got.ExternalID, externalPrefix)
		if seen[id]++; seen[id] > 1 {
			v.Duplicated++
			v.name("%s: conversation %s is there %d times", c.Account, id, seen[id])
			return
		}
		w, known := want[id]
		if !known {
			v.Misreported++
			v.name("%s: ticket %q is of no conversation", c.Account, got.ExternalID)
			return
		}
		var differs []string
		for _, version := range w.digests {
			if differs = got.digest(people, w).differences(version); len(differs) == 0 {
				return
			}
		}
		v.Misreported++
		v.name("%s: conversation %s differs in %s", c.Account, id, strings.Join(differs, ", "))
	})
	if err != nil {
		return v, err
	}
	for id := range want {
		switch {
		case c.Failing[id] && seen[id] > 0:
			v.Misreported++
			v.name("%s: conversation %s is there although it is reported as failed", c.Account, id)
		case !c.Failing[id] && seen[id] == 0:
			v.Lost++
			v.name("%s: conversation %s is lost", c.Account, id)
		}
	}
	return v, nil
}
