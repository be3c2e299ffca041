package main

import (
	"context"
	"encoding/csv"
	"fmt"

	"github.com/spf13/cobra"

	"farewell/migration"
)

func (a *app) changesCommand() *cobra.Command {
	var who choice
	var out format
	var rule string
	cmd := &cobra.Command{
		Use:     "changes CUSTOMER",
		GroupID: groupLook,
		Short:   "List what was changed in records on their way, by which rule",
		Long: `List what was changed in records on their way, by which rule.

A rule is applied where the account would cut or refuse what the source has.
Values are shown as SHA-256, at the source and as sent; docs/fidelity.md says
what each rule does and how a value is hashed.`,
		Example: examples(program+" changes acme", program+" changes acme --rule body_split -o csv > acme-split.csv"),
		Args:    oneCustomer,
		RunE: func(cmd *cobra.Command, args []string) error {
			who.customers = args
			if err := out.check(); err != nil {
				return err
			}
			return a.within(cmd.Context(), func(s *session) error {
				return a.changes(cmd.Context(), s, who, migration.Rule(rule), out)
			})
		},
	}
	cmd.Flags().StringVar(&who.account, "account", "", "the account, where the customer has several")
	cmd.Flags().StringVar(&rule, "rule", "", "only what this rule did")
	out.flag(cmd, "json", "csv")
	return cmd
}

// changes streams: a migration may have changed something in each ticket.
func (a *app) changes(ctx context.Context, s *session, who choice, rule migration.Rule, out format) error {
	of, err := newObserver(s, a.now).choose(ctx, who)
	if err != nil {
		return err
	}
	m := of[0]
	switch out.name {
	case "json":
		err = a.writeArray(func(add func(any) error) error {
			return s.memory.Changes(ctx, m, rule, func(c migration.Change) error { return add(c) })
		})
	case "csv":
		err = a.changesCSV(ctx, s, m, rule)
	default:
		err = a.changesTable(ctx, s, m, rule)
	}
	if err != nil {
		return fmt.Errorf("list the changes of %s: %w", m, err)
	}
	return nil
}

const (
	changesShown = 100 // in the table; the counts are about all
	hashShown    = 12  // digits, enough to tell two values apart
)

func (a *app) changesTable(ctx context.Context, s *session, m migration.Migration, rule migration.Rule) error {
	counts := &table{columns: []column{right("COUNT"), left("ENTITY"), left("FIELD"), left("RULE")}}
	list, err := s.memory.ChangeCounts(ctx, m)
	if err != nil {
		return err
	}
	for _, c := range list {
		if rule == "" || c.Rule == rule {
			counts.add(number(c.Count), string(c.Entity), c.Field, string(c.Rule))
		}
	}
	t := &table{columns: []column{left("ENTITY"), left("ID"), left("FIELD"), left("PART"), left("RULE"), left("BEFORE"), left("AFTER")}}
	var total int64
	err = s.memory.Changes(ctx, m, rule, func(c migration.Change) error {
		if total++; total <= changesShown {
			t.add(string(c.Entity), c.SourceID, c.Field, c.Part, string(c.Rule), c.Before[:hashShown], c.After[:hashShown])
		}
		return nil
	})
	if err != nil {
		return err
	}
	if total == 0 {
		a.printf("%s: no changes", clean(m.String()))
		return nil
	}
	counts.writeTo(a.out, "")
	a.printf("")
	t.writeTo(a.out, "")
	if total > changesShown {
		a.printf("… and %s more: %s -o csv lists all", number(total-changesShown), s.again("changes", m))
	}
	return nil
}

func (a *app) changesCSV(ctx context.Context, s *session, m migration.Migration, rule migration.Rule) error {
	w := csv.NewWriter(a.out)
	w.UseCRLF = true // RFC 4180
	if err := w.Write([]string{"entity", "id", "field", "part", "rule", "before", "after"}); err != nil {
		return err
	}
	err := s.memory.Changes(ctx, m, rule, func(c migration.Change) error {
		return w.Write([]string{string(c.Entity), c.SourceID, c.Field, c.Part, string(c.Rule), c.Before, c.After})
	})
	if err != nil {
		return err
	}
	w.Flush()
	return w.Error()
}
