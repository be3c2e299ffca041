package main

import "context"

func (b *bench) measureActions(ctx context.Context, r *report) error { return nil }
