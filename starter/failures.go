package main

import (
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"farewell/migration"
)

func (a *app) failuresCommand() *cobra.Command {
	var who choice
	var out format
	cmd := &cobra.Command{
		Use:     "failures CUSTOMER",
		GroupID: groupLook,
		Short:   "List the records that did not arrive, or not as they were, and why",
		Example: examples(program+" failures acme", program+" failures acme -o csv > acme-failures.csv"),
		Args:    oneCustomer,
		RunE: func(cmd *cobra.Command, args []string) error {
			who.customers = args
			if err := out.check(); err != nil {
				return err
			}
			return a.within(cmd.Context(), func(s *session) error { return a.failures(cmd.Context(), s, who, out) })
		},
	}
	cmd.Flags().StringVar(&who.account, "account", "", "the account, where the customer has several")
	out.flag(cmd, "json", "csv")
	return cmd
}

// failures streams: a migration may have skipped 100,000 attachments.
func (a *app) failures(ctx context.Context, s *session, who choice, out format) error {
	of, err := newObserver(s, a.now).choose(ctx, who)
	if err != nil {
		return err
	}
	m := of[0]
	switch out.name {
	case "json":
		return a.failuresJSON(ctx, s, m)
	case "csv":
		return a.failuresCSV(ctx, s, m)
	}
	return a.failuresTable(ctx, s, m)
}

// failuresShown is how many the table shows; the counts are about all.
const failuresShown = 100

func (a *app) failuresTable(ctx context.Context, s *session, m migration.Migration) error {
	t := &table{columns: []column{left("ENTITY"), left("ID"), left("OUTCOME"), left("CODE"), left("WHEN"), left("TEXT")}}
	counts := map[failureKind]int64{}
	var total int64
	err := s.memory.Failures(ctx, m, func(f migration.Failure) error {
		counts[failureKind{f.Entity, f.Outcome, f.Code}]++
		if total++; total <= failuresShown {
			t.add(string(f.Entity), f.SourceID, stateWord(migration.State(f.Outcome)), f.Code, moment(f.At, a.now()), f.Text)
		}
		return nil
	})
	if err != nil {
		return listingFailed(m, err)
	}
	if total == 0 {
		a.printf("%s: no failures", clean(m.String()))
		return nil
	}
	kindsTable(counts).writeTo(a.out, "")
	a.printf("")
	t.writeTo(a.out, "")
	if total > failuresShown {
		a.printf("… and %s more: %s -o csv lists all", number(total-failuresShown), s.again("failures", m))
	}
	return nil
}

// failureKind is what failures are counted by.
type failureKind struct {
	entity  migration.Entity
	outcome string
	code    string
}

func kindsTable(counts map[failureKind]int64) *table {
	var kinds []failureKind
	for k := range counts {
		kinds = append(kinds, k)
	}
	slices.SortFunc(kinds, func(x, y failureKind) int {
		return cmp.Or(cmp.Compare(counts[y], counts[x]), cmp.Compare(x.entity, y.entity), cmp.Compare(x.outcome, y.outcome), cmp.Compare(x.code, y.code))
	})
	t := &table{columns: []column{right("COUNT"), left("ENTITY"), left("OUTCOME"), left("CODE")}}
	for _, k := range kinds {
		t.add(number(counts[k]), string(k.entity), stateWord(migration.State(k.outcome)), k.code)
	}
	return t
}

func (a *app) failuresJSON(ctx context.Context, s *session, m migration.Migration) error {
	err := a.writeArray(func(add func(any) error) error {
		return s.memory.Failures(ctx, m, func(f migration.Failure) error { return add(f) })
	})
	if err != nil {
		return listingFailed(m, err)
	}
	return nil
}

func (a *app) failuresCSV(ctx context.Context, s *session, m migration.Migration) error {
	w := csv.NewWriter(a.out)
	w.UseCRLF = true // RFC 4180
	if err := w.Write([]string{"entity", "id", "outcome", "code", "text", "partition", "at"}); err != nil {
		return err
	}
	err := s.memory.Failures(ctx, m, func(f migration.Failure) error {
		return w.Write([]string{string(f.Entity), f.SourceID, f.Outcome, f.Code, clean(f.Text), f.Partition, f.At.UTC().Format(time.RFC3339)})
	})
	if err != nil {
		return listingFailed(m, err)
	}
	w.Flush()
	return w.Error()
}

func listingFailed(m migration.Migration, err error) error {
	return fmt.Errorf("list the failures of %s: %w", m, err)
}
