package zendesktest

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// dataDir is a directory with a journal for each account. One process at a time may use it.
type dataDir struct {
	path string
	lock *os.File
}

func openDataDir(path string) (*dataDir, error) {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return nil, fmt.Errorf("open data directory: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(path, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open data directory: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("open data directory %s: another sandbox uses it; stop that one, or give another --data: %w", path, err), lock.Close())
	}
	return &dataDir{path: path, lock: lock}, nil
}

func (d *dataDir) close() error { return d.lock.Close() }

const journalSuffix = ".journal"

// An entry that claims to be larger than this is none.
const (
	maxHead = 16 << 20
	maxBody = 1 << 30
)

// journal is what made an account what it is: its birth, and every request that could change it, as it came. Replayed
// with the times that are written with it, it gives the same account again. A nil journal writes nothing.
//
// Each entry is three little-endian uint32 (length of the head, length of the body, CRC-32 of both), the head as JSON,
// and the body. It is written before the request is answered: a killed process loses nothing that it acknowledged.
type journal struct {
	file   *os.File
	size   int64 // of the whole entries
	buffer []byte
}

// journalHead says what an entry is.
type journalHead struct {
	Birth    *birth    `json:"birth,omitempty"`
	Settings *Settings `json:"settings,omitempty"`

	At      int64   `json:"at,omitempty"`
	Arrived int64   `json:"arrived,omitempty"`
	Route   string  `json:"route,omitempty"`
	ID      string  `json:"id,omitempty"`
	Query   string  `json:"query,omitempty"`
	Mime    string  `json:"mime,omitempty"`
	Actor   int64   `json:"actor,omitempty"`
	Plan    jobPlan `json:"plan,omitzero"`
}

func (d *dataDir) create(a *account) (*journal, error) {
	file, err := os.OpenFile(filepath.Join(d.path, a.name+journalSuffix), os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("create journal of account %s: %w", a.name, err)
	}
	j := &journal{file: file}
	return j, j.write(journalHead{Birth: &a.birth, Settings: &a.settings}, nil)
}

func (j *journal) write(head journalHead, body []byte) error {
	encoded, err := json.Marshal(head)
	if err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	b := j.buffer[:0]
	b = append(b, make([]byte, 12)...) // the sizes and the sum
	b = append(append(b, encoded...), body...)
	binary.LittleEndian.PutUint32(b[0:], uint32(len(encoded)))
	binary.LittleEndian.PutUint32(b[4:], uint32(len(body)))
	binary.LittleEndian.PutUint32(b[8:], crc32.ChecksumIEEE(b[12:]))
	j.buffer = b
	if _, err := j.file.Write(b); err != nil {
		// Half an entry would hide those after it.
		return errors.Join(fmt.Errorf("write journal %s: %w", j.file.Name(), err), j.file.Truncate(j.size))
	}
	j.size += int64(len(b))
	return nil
}

// append writes a request that is about to be applied.
func (j *journal) append(q *request) error {
	if j == nil {
		return nil
	}
	head := journalHead{At: q.now, Arrived: q.arrived, Route: q.route.name, ID: q.id, Query: q.query.Encode(), Mime: q.mime, Plan: q.plan}
	if q.actor != nil {
		head.Actor = q.actor.id
	}
	return j.write(head, q.body)
}

func (j *journal) appendSettings(now int64, settings Settings) error {
	if j == nil {
		return nil
	}
	return j.write(journalHead{At: now, Settings: &settings}, nil)
}

// restart empties the journal and begins it with a new birth.
func (j *journal) restart(born birth, settings Settings) error {
	if j == nil {
		return nil
	}
	if err := j.file.Truncate(0); err != nil {
		return fmt.Errorf("reset journal: %w", err)
	}
	j.size = 0
	return j.write(journalHead{Birth: &born, Settings: &settings}, nil)
}

func (j *journal) close() error {
	if j == nil {
		return nil
	}
	return j.file.Close()
}

// restore rebuilds every account of the data directory.
func (s *Server) restore() error {
	files, err := filepath.Glob(filepath.Join(s.data.path, "*"+journalSuffix))
	if err != nil {
		return fmt.Errorf("restore accounts: %w", err)
	}
	for _, path := range files {
		a, err := restoreAccount(path)
		if err != nil {
			return fmt.Errorf("restore account from %s: %w", path, err)
		}
		if a != nil {
			s.publish(a)
		}
	}
	return nil
}

// restoreAccount replays a journal and opens it for more. An entry that was being written when the process was killed
// was not acknowledged: it is cut off. nil is a journal that was killed before its first entry.
func restoreAccount(path string) (*account, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND, 0)
	if err != nil {
		return nil, err
	}
	name := strings.TrimSuffix(filepath.Base(path), journalSuffix)
	a, whole, err := replay(name, bufio.NewReaderSize(file, 1<<20))
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	if a == nil {
		return nil, errors.Join(os.Remove(path), file.Close())
	}
	if err := file.Truncate(whole); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	a.journal = &journal{file: file, size: whole}
	return a, nil
}

// replay returns the account and the length of the journal's whole entries.
func replay(name string, from io.Reader) (a *account, whole int64, err error) {
	for {
		head, body, n, err := readEntry(from)
		if err != nil {
			return a, whole, err
		}
		if n == 0 {
			return a, whole, nil
		}
		whole += n
		switch {
		case head.Birth != nil:
			a = newAccount(name, *head.Settings, *head.Birth)
		case a == nil:
			return nil, 0, errors.New("the journal does not begin with an account's birth")
		case head.Settings != nil:
			a.last = head.At
			a.advance(head.At)
			a.apply(*head.Settings, true)
		default:
			if err := a.repeat(head, body); err != nil {
				return nil, 0, err
			}
		}
	}
}

// readEntry returns n = 0 at the end, and at an entry that is not whole.
func readEntry(from io.Reader) (head journalHead, body []byte, n int64, err error) {
	var sizes [12]byte
	if _, err := io.ReadFull(from, sizes[:]); err != nil {
		return head, nil, 0, ignoreEnd(err)
	}
	headLen, bodyLen := binary.LittleEndian.Uint32(sizes[0:]), binary.LittleEndian.Uint32(sizes[4:])
	if headLen > maxHead || bodyLen > maxBody {
		return head, nil, 0, nil
	}
	payload := make([]byte, int(headLen)+int(bodyLen))
	if _, err := io.ReadFull(from, payload); err != nil {
		return head, nil, 0, ignoreEnd(err)
	}
	if crc32.ChecksumIEEE(payload) != binary.LittleEndian.Uint32(sizes[8:]) {
		return head, nil, 0, nil
	}
	if err := json.Unmarshal(payload[:headLen], &head); err != nil {
		return head, nil, 0, fmt.Errorf("read journal entry: %w", err)
	}
	return head, payload[headLen:], int64(len(sizes) + len(payload)), nil
}

func ignoreEnd(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

// repeat applies a request again, at its old time.
func (a *account) repeat(head journalHead, body []byte) error {
	query, err := url.ParseQuery(head.Query)
	if err != nil {
		return fmt.Errorf("read journal entry: %w", err)
	}
	q := &request{
		route: routes[head.Route], id: head.ID, query: query, mime: head.Mime, body: body, header: http.Header{},
		actor: a.users.get(head.Actor), arrived: head.Arrived, now: head.At, plan: head.Plan,
	}
	if q.route == nil {
		return fmt.Errorf("the journal has a request of the endpoint %q, which this version does not know; reset the account's data", head.Route)
	}
	if q.route.parse != nil && q.route.parse(a, q) != nil {
		return fmt.Errorf("the journal has a request of %s that can no longer be read; reset the account's data", head.Route)
	}
	a.last = head.At
	a.advance(head.At)
	q.route.apply(a, q)
	return nil
}
