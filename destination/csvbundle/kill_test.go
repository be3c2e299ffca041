package csvbundle

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"farewell/destination"
)

// The variables that turn the test binary into a process that is going to die.
const (
	envVictim = "CSVBUNDLE_TEST_VICTIM" // "part" or "publish"
	envRoot   = "CSVBUNDLE_TEST_ROOT"
	envStep   = "CSVBUNDLE_TEST_STEP" // the step before which it kills itself
)

func TestMain(m *testing.M) {
	if victim := os.Getenv(envVictim); victim != "" {
		os.Exit(runVictim(victim))
	}
	os.Exit(m.Run())
}

var errPower = errors.New("the power should be off by now")

// runVictim does one call on a disk that kills the process at the given step.
func runVictim(victim string) int {
	step, err := strconv.Atoi(os.Getenv(envStep))
	if err != nil {
		panic(err)
	}
	b, err := Open(Options{Account: destination.Account{Name: "acme", URL: os.Getenv(envRoot)}})
	if err != nil {
		panic(err)
	}
	files(b).disk = &failingDisk{disk: realDisk{}, step: step, half: true, fail: func() error {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		return errPower
	}}
	switch victim {
	case "part":
		_, err = secondTry().write(b)
	case "publish":
		_, err = b.Publish(context.Background(), publishInput(oldPart(), newPart()))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func oldPart() part {
	return makePart(1, 0, "1,a\n2,b\n", "11,1,"+strings.Repeat("x", bufferSize)+"\n").with("5,1,11\n", map[string]string{"5": "five"})
}

func newPart() part {
	return makePart(1, 1, "3,c\n", "31,3,"+strings.Repeat("y", bufferSize)+"\n").with("7,3,31\n", map[string]string{"7": "seven"})
}

func secondTry() part {
	return makePart(1, 0, "1,a\n2,b\n3,c\n", "11,1,"+strings.Repeat("x", bufferSize)+"\n").with("6,1,11\n", map[string]string{"6": "six"})
}

// failingDisk fails from a given step on. A write at that step gets half of
// its bytes to the disk first, if half is set.
type failingDisk struct {
	disk
	step int
	half bool
	fail func() error

	steps atomic.Int64 // files are written side by side
}

// isOver counts a step, and tells whether it fails.
func (d *failingDisk) isOver() bool { return d.steps.Add(1) >= int64(d.step) }

func (d *failingDisk) next() error {
	if d.isOver() {
		return d.fail()
	}
	return nil
}

func (d *failingDisk) Mkdir(path string) error {
	if err := d.next(); err != nil {
		return err
	}
	return d.disk.Mkdir(path)
}

func (d *failingDisk) Create(path string) (file, error) {
	if err := d.next(); err != nil {
		return nil, err
	}
	f, err := d.disk.Create(path)
	return &failingFile{f, d}, err
}

func (d *failingDisk) Rename(from, to string) error {
	if err := d.next(); err != nil {
		return err
	}
	return d.disk.Rename(from, to)
}

func (d *failingDisk) Link(from, to string) error {
	if err := d.next(); err != nil {
		return err
	}
	return d.disk.Link(from, to)
}

func (d *failingDisk) Remove(path string) error {
	if err := d.next(); err != nil {
		return err
	}
	return d.disk.Remove(path)
}

func (d *failingDisk) SyncFolder(path string) error {
	if err := d.next(); err != nil {
		return err
	}
	return d.disk.SyncFolder(path)
}

type failingFile struct {
	file
	disk *failingDisk
}

func (f *failingFile) Write(p []byte) (int, error) {
	if f.disk.isOver() {
		n := 0
		if f.disk.half {
			n, _ = f.file.Write(p[:len(p)/2])
		}
		return n, f.disk.fail()
	}
	return f.file.Write(p)
}

func (f *failingFile) Sync() error {
	if err := f.disk.next(); err != nil {
		return err
	}
	return f.file.Sync()
}

// killAt runs the victim until it is killed before its n-th step; false: it
// ended by itself, so there is no such step.
func killAt(t *testing.T, victim, root string, n int) bool {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), envVictim+"="+victim, envRoot+"="+root, envStep+"="+strconv.Itoa(n))
	output, err := cmd.CombinedOutput()
	if err == nil {
		return false
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) || !exit.Sys().(syscall.WaitStatus).Signaled() {
		t.Fatalf("the victim was not killed: %v\n%s", err, output)
	}
	return true
}

// undisturbed publishes the parts in peace, in a folder of its own.
func undisturbed(t *testing.T, parts ...part) map[string]string {
	t.Helper()
	b := openAt(t, t.TempDir())
	writeParts(t, b, parts...)
	publish(t, b, parts...)
	return content(t, files(b).where())
}

func TestPublishKilledAtAnyStepLeavesTheOldTheNewOrNoBundle(t *testing.T) {
	t.Parallel()
	for _, first := range []bool{true, false} {
		name := map[bool]string{true: "first bundle", false: "second bundle"}[first]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			old := undisturbed(t, oldPart())
			fresh := undisturbed(t, oldPart(), newPart())
			seen := map[string]int{}
			for step := 1; ; step++ {
				b := openAt(t, t.TempDir())
				writeParts(t, b, oldPart())
				if !first {
					publish(t, b, oldPart())
				}
				writeParts(t, b, newPart())
				if !killAt(t, "publish", files(b).root, step) {
					if step < 20 {
						t.Fatalf("publishing took only %d steps: the steps are not counted", step)
					}
					break
				}
				found := content(t, files(b).where())
				switch {
				case found == nil:
					seen["none"]++
				case !first && maps.Equal(found, old):
					seen["old"]++
				case maps.Equal(found, fresh):
					seen["new"]++
				default:
					t.Fatalf("killed before step %d: a bundle that is neither the old nor the new one", step)
				}
				publish(t, b, oldPart(), newPart())
				if !maps.Equal(content(t, files(b).where()), fresh) {
					t.Fatalf("killed before step %d: the repeated publishing gives other bytes", step)
				}
				if left := leftovers(t, b); left != nil {
					t.Fatalf("killed before step %d: left over: %v", step, left)
				}
			}
			if seen["none"] == 0 || seen["new"] == 0 || (!first && seen["old"] == 0) {
				t.Fatalf("the kills did not reach every phase: %v", seen)
			}
			t.Logf("bundles found after the kills: %v", seen)
		})
	}
}

func TestABundleMovedAwayByAKilledPublishingStillCounts(t *testing.T) {
	t.Parallel()
	b := openAt(t, t.TempDir())
	writeParts(t, b, oldPart())
	publish(t, b, oldPart())
	if err := os.Rename(files(b).where(), filepath.Join(files(b).root, files(b).replacedPrefix()+"1")); err != nil {
		t.Fatal(err)
	}
	if c := preflight(t, b, destination.PreflightInput{Migration: acme, LedgerEmpty: true})["bundle"]; c.OK {
		t.Fatal("preflight overlooked the bundle")
	}
	if err := os.RemoveAll(files(b).staging()); err != nil { // nothing to make it from again
		t.Fatal(err)
	}
	publish(t, b)
	wantValid(t, files(b).where())
	if left := leftovers(t, b); left != nil {
		t.Fatalf("left over: %v", left)
	}
}

func TestWhatIsLeftOfADeletionIsNoBundle(t *testing.T) {
	t.Parallel()
	for step := 1; ; step++ {
		b := openAt(t, t.TempDir())
		writeParts(t, b, oldPart())
		publish(t, b, oldPart())
		err := removeFolder(&failingDisk{disk: realDisk{}, step: step, fail: func() error { return errPower }}, files(b).where())
		if err == nil {
			break
		}
		left := content(t, files(b).where())
		if _, ok := left[manifestName]; ok && len(left) < 7 {
			t.Fatalf("cut before step %d, the deletion left a manifest and %d other files", step, len(left)-1)
		}
	}
}

func TestWritePartKilledAtAnyStepNeverLooksComplete(t *testing.T) {
	t.Parallel()
	for _, retried := range []bool{false, true} {
		name := map[bool]string{false: "first try", true: "second try"}[retried]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := undisturbed(t, oldPart())
			after := undisturbed(t, secondTry())
			seen := map[string]int{}
			for step := 1; ; step++ {
				b := openAt(t, t.TempDir())
				if retried {
					writeParts(t, b, oldPart())
				}
				if !killAt(t, "part", files(b).root, step) {
					break
				}
				_, err := b.Publish(context.Background(), publishInput(secondTry()))
				found := content(t, files(b).where())
				switch {
				case !retried && destination.KindOf(err) == destination.Refused && errors.Is(err, fs.ErrNotExist) && found == nil:
					seen["none"]++
				case retried && err == nil && maps.Equal(found, before):
					seen["before"]++
				case err == nil && maps.Equal(found, after):
					seen["after"]++
				default:
					t.Fatalf("killed before step %d: published %d files: %v", step, len(found), err)
				}
				writeParts(t, b, secondTry())
				publish(t, b, secondTry())
				if !maps.Equal(content(t, files(b).where()), after) {
					t.Fatalf("killed before step %d: the repeated part gives other bytes", step)
				}
				if tries, err := namesWithPrefix(files(b).staging(), "tickets-0001.0.try-"); err != nil || len(tries) != 1 {
					t.Fatalf("killed before step %d: %d tries are left (%v)", step, len(tries), err)
				}
			}
			if seen["after"] == 0 || seen["none"]+seen["before"] < 10 {
				t.Fatalf("the kills did not reach every phase: %v", seen)
			}
			t.Logf("published after the kills: %v", seen)
		})
	}
}

func TestADiskThatFailsAtAnyStepLosesNothing(t *testing.T) {
	t.Parallel()
	fresh := undisturbed(t, oldPart(), newPart())
	old := undisturbed(t, oldPart())
	for _, tc := range []struct {
		name  string
		errno syscall.Errno
		kind  destination.Kind
	}{
		{"full", syscall.ENOSPC, destination.Temporary},
		{"broken", syscall.EIO, destination.Temporary},
		{"forbidden", syscall.EACCES, destination.Misconfigured},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			for step := 1; ; step++ {
				b := openAt(t, t.TempDir())
				writeParts(t, b, oldPart())
				publish(t, b, oldPart())
				files(b).disk = &failingDisk{disk: realDisk{}, step: step, half: true, fail: func() error { return tc.errno }}
				_, err := newPart().write(b)
				if err == nil {
					_, err = b.Publish(context.Background(), publishInput(oldPart(), newPart()))
				}
				if err == nil {
					break
				}
				var e *destination.Error
				if !errors.As(err, &e) || e.Kind != tc.kind || e.Fix == "" {
					t.Fatalf("step %d: %v", step, err)
				}
				if found := content(t, files(b).where()); found != nil && !maps.Equal(found, old) && !maps.Equal(found, fresh) {
					t.Fatalf("step %d: a bundle that is neither the old nor the new one", step)
				}
				files(b).disk = realDisk{}
				if _, err := b.storedPart(context.Background(), newPart().ref()); err != nil {
					writeParts(t, b, newPart())
				}
				publish(t, b, oldPart(), newPart())
				if !maps.Equal(content(t, files(b).where()), fresh) {
					t.Fatalf("step %d: the repeated publishing gives other bytes", step)
				}
				if left := leftovers(t, b); left != nil {
					t.Fatalf("step %d: left over: %v", step, left)
				}
			}
		})
	}
}
