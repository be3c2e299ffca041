package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/temporal"

	"farewell/migration"
)

// searchAttributes are what the Web UI's lists can be filtered by.
func searchAttributes() map[string]enumspb.IndexedValueType {
	return map[string]enumspb.IndexedValueType{
		migration.AttributeCustomer:    enumspb.INDEXED_VALUE_TYPE_KEYWORD,
		migration.AttributeDestination: enumspb.INDEXED_VALUE_TYPE_KEYWORD,
		migration.AttributeState:       enumspb.INDEXED_VALUE_TYPE_KEYWORD,
		migration.AttributeAttention:   enumspb.INDEXED_VALUE_TYPE_BOOL,
		migration.AttributePercent:     enumspb.INDEXED_VALUE_TYPE_INT,
		migration.AttributeFailed:      enumspb.INDEXED_VALUE_TYPE_INT,
	}
}

const (
	// attributesVisibleWithin bounds the wait for attributes to be known to
	// all of Temporal's hosts, which read them from a cache of some seconds.
	attributesVisibleWithin = time.Minute
	attributesLookEvery     = 500 * time.Millisecond
)

// registerAttributes adds what is missing and waits until it is visible. A
// workflow that sets an unknown attribute fails its task for ever.
func (s *temporalService) registerAttributes(ctx context.Context) (added []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, attributesVisibleWithin)
	defer cancel()
	missing, err := s.missingAttributes(ctx)
	if err != nil || len(missing) == 0 {
		return nil, err
	}
	_, err = s.client.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
		Namespace: s.namespace, SearchAttributes: missing,
	})
	var there *serviceerror.AlreadyExists
	if err != nil && !errors.As(err, &there) {
		return nil, s.failed("register search attributes (Temporal Cloud wants them added in its own console)", err)
	}
	return slices.Sorted(maps.Keys(missing)), s.awaitAttributes(ctx)
}

func (s *temporalService) awaitAttributes(ctx context.Context) error {
	tick := time.NewTicker(attributesLookEvery)
	defer tick.Stop()
	for {
		missing, err := s.missingAttributes(ctx)
		if err != nil || len(missing) == 0 {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("search attributes %s were registered but are not visible: %w; running setup again may help",
				strings.Join(slices.Sorted(maps.Keys(missing)), ", "), ctx.Err())
		}
	}
}

func (s *temporalService) missingAttributes(ctx context.Context) (map[string]enumspb.IndexedValueType, error) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	known, err := s.client.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: s.namespace})
	if err != nil {
		return nil, s.failed("list search attributes", err)
	}
	missing := map[string]enumspb.IndexedValueType{}
	for name, kind := range searchAttributes() {
		switch has, ok := known.GetCustomAttributes()[name]; {
		case !ok:
			missing[name] = kind
		case has != kind:
			return nil, fmt.Errorf("search attribute %s exists with type %s, but %s is needed: remove it from namespace %q or use another namespace",
				name, has, kind, s.namespace)
		}
	}
	return missing, nil
}

// mentionsAttributes recognises the answer of a Temporal that was not set up.
func mentionsAttributes(err error) bool {
	return strings.Contains(strings.ToLower(err.Error()), "search attribute")
}

// failureInside is the innermost application error: what Temporal wraps around
// it says where, not why.
func failureInside(err error) error {
	var inside *temporal.ApplicationError
	if errors.As(err, &inside) {
		return errors.New(inside.Message())
	}
	return err
}
