package main

import (
	"context"
	"fmt"

	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/sdk/client"

	"farewell/migration"
)

// checkAttributes refuses to start without the search attributes: an unknown
// one fails a workflow task again and again while the run looks as if it ran.
func checkAttributes(ctx context.Context, t client.Client, namespace string) error {
	known, err := t.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: namespace})
	if err != nil {
		return fmt.Errorf("list Temporal's search attributes: %w", err)
	}
	for _, name := range []string{
		migration.AttributeCustomer, migration.AttributeDestination, migration.AttributeState,
		migration.AttributeAttention, migration.AttributePercent, migration.AttributeFailed,
	} {
		if _, ok := known.GetCustomAttributes()[name]; !ok {
			return fmt.Errorf("%w (%s is missing)", errNotSetUp, name)
		}
	}
	return nil
}
