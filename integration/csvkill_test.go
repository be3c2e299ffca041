package integration_test

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// bundleRun is one migration to a bundle with a worker of its own: it has its
// own task queue.
type bundleRun struct {
	*stage
	customer, account string
}

// addBundle adds a line to the accounts file.
func (s *stage) addBundle(customer, account, url string) bundleRun {
	s.t.Helper()
	f, err := os.OpenFile(s.accounts, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	_, err = fmt.Fprintf(f, "%s,csv,%s,%s,,,,,\n", customer, account, url)
	if closeErr := f.Close(); err != nil || closeErr != nil {
		s.t.Fatal(err, closeErr)
	}
	return bundleRun{s, customer, account}
}

func (r bundleRun) queue() string { return "FAREWELL_TASK_QUEUE=" + r.account }

func (r bundleRun) worker(env ...string) *process {
	r.t.Helper()
	p := r.startProcess("worker", r.environment(append(env, r.queue())...))
	p.awaitLine(r.t, time.Minute, "worker is ready")
	return p
}

// start starts the migration. Temporal may take a moment to close the run
// before.
func (r bundleRun) start(t *testing.T) {
	t.Helper()
	eventually(t, 20*time.Second, r.account+" starts", func() (bool, string) {
		a := r.starterWith([]string{r.queue()}, "start", r.customer, "--account", r.account)
		return a.code == exitOK, a.String()
	})
}

func (r bundleRun) awaitCompleted(t *testing.T) {
	t.Helper()
	if a := r.starterWith([]string{r.queue()}, "watch", r.customer, "--account", r.account); a.code != exitOK {
		t.Fatalf("%s: %s", r.account, a)
	}
}

func (r bundleRun) place() string { return filepath.Join(r.bundles, r.account) }
func (r bundleRun) parts() string { return filepath.Join(r.bundles, "."+r.account+".parts") }

// making is the folder of the bundle in the making, and how many files are in
// it; empty: there is none.
func (r bundleRun) making(t testing.TB) (path string, files int) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(r.bundles, "."+r.account+".publishing-*"))
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		return "", 0
	}
	n, _ := sizeOf(found[0])
	return found[0], n
}

// sizeOf counts files below a folder and their bytes. Files may come and go.
func sizeOf(folder string) (files int, bytes int64) {
	_ = filepath.WalkDir(folder, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil //nolint:nilerr // it has just gone
		}
		if info, err := d.Info(); err == nil {
			files++
			bytes += info.Size()
		}
		return nil
	})
	return files, bytes
}

func isThere(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// moment is when a worker is killed. It holds from then on.
type moment struct {
	name       string
	hasCome    func(r bundleRun) bool
	publishing bool
}

// moments are 15 that are spread evenly over the bytes of the parts, and 5
// between the first step of publishing and the last.
func moments(t *testing.T, bytes int64, files int) []moment {
	var all []moment
	for n := range 15 {
		enough := bytes * int64(n+1) / 16
		all = append(all, moment{name: fmt.Sprintf("%d of %d bytes", enough, bytes), hasCome: func(r bundleRun) bool {
			_, written := sizeOf(r.parts())
			return written >= enough
		}})
	}
	for _, n := range []int{0, files / 4, files / 2, files - 1} {
		all = append(all, moment{name: fmt.Sprintf("%d of %d files", n, files), publishing: true, hasCome: func(r bundleRun) bool {
			path, there := r.making(t)
			return path != "" && there >= n || isThere(r.place())
		}})
	}
	return append(all, moment{name: "in its place", publishing: true, hasCome: func(r bundleRun) bool { return isThere(r.place()) }})
}

// await returns when the moment has come.
func (m moment) await(t *testing.T, r bundleRun) {
	t.Helper()
	end := time.NewTimer(time.Minute)
	defer end.Stop()
	tick := time.NewTicker(300 * time.Microsecond)
	defer tick.Stop()
	for !m.hasCome(r) {
		select {
		case <-tick.C:
		case <-end.C:
			t.Fatalf("%s: it does not come to %s", r.account, m.name)
		}
	}
}

var (
	ofMoment = regexp.MustCompile(`\d{4}-\d\d-\d\d([T ]\d\d:\d\d:\d\d(\.\d+)?(Z| UTC))?`)
	ofSizes  = regexp.MustCompile(`(?m)^Payload-Oxum.*\n|^[0-9a-f]{64}  (data/datapackage.json|bag-info.txt|farewell.json|README.txt|manifest-sha256.txt)\n`)
)

// bundle is every file of a bundle. The account's name and the plan's moment,
// in which two runs must differ, are left out of what describes the tables; so
// are the hashes of those files, which verify-bundle compares.
func (r bundleRun) bundle(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := fs.WalkDir(os.DirFS(r.place()), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(filepath.Join(r.place(), name))
		text := string(content)
		if !strings.HasSuffix(name, ".csv") {
			text = strings.ReplaceAll(ofSizes.ReplaceAllString(ofMoment.ReplaceAllString(text, "TIME"), ""), r.account, "ACCOUNT")
		}
		found[name] = text
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func (r bundleRun) wantSameBundle(t *testing.T, want map[string]string) {
	t.Helper()
	got := r.bundle(t)
	if !slices.Equal(slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want))) {
		t.Errorf("%s holds %v", r.account, slices.Sorted(maps.Keys(got)))
	}
	for name, text := range want {
		if got[name] != text {
			t.Errorf("%s: %s differs from that of an undisturbed run", r.account, name)
		}
	}
}

// wantNothingLeft looks for what a killed worker has left beside the bundle.
func (r bundleRun) wantNothingLeft(t *testing.T) {
	t.Helper()
	if path, _ := r.making(t); path != "" {
		t.Errorf("%s: %s is left", r.account, path)
	}
	tries := map[string]int{}
	entries, err := os.ReadDir(r.parts())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if part, _, ok := strings.Cut(e.Name(), ".try-"); ok {
			tries[part]++
		}
		if strings.Contains(e.Name(), ".dead-") {
			tries[e.Name()] += 2
		}
	}
	for part, n := range tries {
		if n > 1 {
			t.Errorf("%s: %d tries of %s are left", r.account, n, part)
		}
	}
}

// killsAtOnce is how many workers are on the way to their moment at a time:
// the others wait for Temporal to notice what has become of theirs.
const killsAtOnce = 2

func TestABundleIsTheSameWheneverItsWorkerIsKilled(t *testing.T) {
	s := newStage(t, setting{customers: 2, tickets: 6000, comments: 4})
	s.change("delete from crm.files where file_no % 8 <> 0") // some 90 are enough, with 22 bundles
	// Twenty bundles out of one small database are strain; this is not about that.
	s.mustStart("source", "set", "--governor", "off")
	undisturbed := s.addBundle("customer-0001", "undisturbed", s.bundles)
	undisturbed.worker()
	undisturbed.start(t)
	undisturbed.awaitCompleted(t)
	s.mustStart("verify-bundle", undisturbed.place())
	want := undisturbed.bundle(t)
	_, bytes := sizeOf(undisturbed.parts())

	var runs []bundleRun
	all := moments(t, bytes, len(want))
	for n := range all {
		runs = append(runs, s.addBundle("customer-0001", fmt.Sprintf("killed-%02d", n+1), s.bundles))
	}
	changing := s.addBundle("customer-0002", "on-the-move", s.bundles)
	var wait sync.WaitGroup
	wait.Go(func() { changing.throughChanges(t) })
	turn := make(chan struct{}, killsAtOnce)
	var mu sync.Mutex
	early := map[bool]int{}
	for n, m := range all {
		r := runs[n]
		wait.Go(func() {
			turn <- struct{}{}
			worker := r.worker()
			r.start(t)
			m.await(t, r)
			worker.kill()
			<-turn
			if path, _ := r.making(t); path != "" || !m.publishing && !isThere(r.place()) {
				mu.Lock()
				early[m.publishing]++
				mu.Unlock()
			}
			if isThere(r.place()) {
				s.mustStart("verify-bundle", r.place())
			}
			r.worker()
			r.awaitCompleted(t)
			s.mustStart("verify-bundle", r.place())
			r.wantSameBundle(t, want)
			r.wantNothingLeft(t)
		})
	}
	wait.Wait()
	t.Logf("%d kills while parts were written, %d while the bundle was in the making", early[false], early[true])
	if early[false] < 12 || early[true] < 3 {
		t.Error("most kills came too late to show anything")
	}
}

// throughChanges publishes a bundle again and again from a source that changes all
// the while, the first time with a worker that is killed.
func (r bundleRun) throughChanges(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	var changing sync.WaitGroup
	changing.Go(func() { r.keepChanging(ctx, t) })
	defer changing.Wait()
	defer stop()
	worker := r.worker()
	r.start(t)
	moment{name: "some bytes", hasCome: func(r bundleRun) bool {
		_, bytes := sizeOf(r.parts())
		return bytes > 2<<20
	}}.await(t, r)
	worker.kill()
	r.worker()
	for range 2 {
		r.awaitCompleted(t)
		r.mustStart("verify-bundle", r.place())
		r.start(t)
	}
	r.awaitCompleted(t)
	r.mustStart("verify-bundle", r.place())
}

// keepChanging makes, changes and removes tickets, their messages and people.
func (r bundleRun) keepChanging(ctx context.Context, t *testing.T) {
	conn, err := pgx.Connect(ctx, r.source)
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.Close(context.WithoutCancel(ctx))
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for n := 2_000_000; ctx.Err() == nil; n++ {
		<-tick.C
		_, err := conn.Exec(ctx, fmt.Sprintf(`
			with person as (
				insert into crm.people (person_no, client, company_no, last_name, mail, kind, banned, made_at, changed_at)
				select %[1]d, client, company_no, last_name, 'changing-%[1]d@example.com', kind, banned, now(), now()
				from crm.people where client = %[2]s order by person_no limit 1
				returning person_no)
			insert into crm.conversations
			select %[1]d, client, (select person_no from person), null, company_no, 'changing', 'active', 3, 'ask', 'mail', null, null, now(), now(), null
			from crm.conversations where client = %[2]s order by conversation_no limit 1`, n, quoteLiteral(r.customer)))
		if err == nil {
			_, err = conn.Exec(ctx, fmt.Sprintf(`
				insert into crm.messages select %[1]d, client, conversation_no, opened_by, false, '=changing', 'text', now() from crm.conversations where conversation_no = %[1]d;
				update crm.messages set content = content || ' changed' where message_no = %[1]d - 3;
				delete from crm.messages where message_no = %[1]d - 5;
				delete from crm.conversations where conversation_no = %[1]d - 5 and not exists (select from crm.messages where conversation_no = %[1]d - 5)`, n))
		}
		if err != nil && ctx.Err() == nil {
			t.Errorf("change the source: %v", err)
			return
		}
	}
}
