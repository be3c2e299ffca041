// Package integration_test shows the product at work: the built programs as
// processes, Temporal's dev server and Postgres, over TCP. What a test expects
// it reads from the sample CRM's own tables; what has become of it, from the
// sandbox's public API as plain JSON.
package integration_test

import (
	"flag"
	"os"
	"testing"
)

// stagesAtOnce is how many tests run beside each other. They mostly wait for
// jobs of the sandbox, and two cores carry this many workers.
const stagesAtOnce = "4"

func TestMain(m *testing.M) {
	flag.Parse()
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })
	if !chosen {
		if err := flag.Set("test.parallel", stagesAtOnce); err != nil {
			panic(err) // the testing package has had the flag since Go 1.0
		}
	}
	os.Exit(m.Run())
}
