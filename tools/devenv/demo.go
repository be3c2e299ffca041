package main

import "context"

func (e environment) demo(ctx context.Context) error { return e.upCommand(ctx) }
