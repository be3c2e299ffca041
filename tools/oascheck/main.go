// Command oascheck compares what Farewell's client sends to Zendesk, and what
// the sandbox answers, with Zendesk's own OpenAPI file
// (https://developer.zendesk.com/zendesk/oas.yaml). It reads exchanges that
// tests of destination/zendesk recorded (`make oas-check OAS=…` does both).
//
// Every deviation must be in differences.yaml, with the reason and the source
// that says why the file is wrong there; and every line of that list must
// still occur. The exit code is 0 when both hold, 1 when not, and 2 when the
// comparison could not be made.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
)

func main() {
	api := flag.String("oas", "", "Zendesk's OpenAPI file")
	exchanges := flag.String("exchanges", "", "recorded exchanges, one JSON object a line")
	flag.Parse()
	held, err := run(*api, *exchanges)
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "oascheck:", err)
		os.Exit(2)
	case !held:
		os.Exit(1)
	}
}

// run reports whether everything deviates only where the list says so.
func run(api, exchanges string) (bool, error) {
	if api == "" {
		return false, errors.New("no OpenAPI file: give its path with -oas (make oas-check OAS=…)")
	}
	expected, err := readDifferences(listed)
	if err != nil {
		return false, err
	}
	spec, err := readSpec(api)
	if err != nil {
		return false, err
	}
	r := newReport(expected)
	if err := eachExchange(exchanges, func(e *exchange) error {
		c, err := spec.check(e)
		if err != nil {
			return err
		}
		r.take(e, c)
		return nil
	}); err != nil {
		return false, err
	}
	return r.print(os.Stdout), nil
}
