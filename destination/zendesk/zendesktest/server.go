package zendesktest

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Options says what a Server is like. The zero value is a server that keeps its accounts in memory.
type Options struct {
	// DataDir keeps the accounts over a restart, one file each; they survive SIGKILL of the process (not a power cut:
	// nothing is fsynced). "" keeps nothing.
	DataDir string
}

// Server is the pretended Zendesk, an http.Handler. It is safe for concurrent use.
type Server struct {
	control *http.ServeMux
	data    *dataDir

	creating sync.Mutex
	accounts atomic.Pointer[map[string]*account] // replaced, never changed: requests read it without a lock

	edge edge
}

// New opens a server, with the accounts of its data directory. It fails when that cannot be read or is in use.
func New(options Options) (*Server, error) {
	s := &Server{}
	s.accounts.Store(&map[string]*account{})
	s.control = s.controlRoutes()
	if options.DataDir == "" {
		return s, nil
	}
	data, err := openDataDir(options.DataDir)
	if err != nil {
		return nil, err
	}
	s.data = data
	if err := s.restore(); err != nil {
		return nil, errors.Join(err, data.close())
	}
	return s, nil
}

// Close closes the files of the accounts. No request may be served after it.
func (s *Server) Close() error {
	if s.data == nil {
		return nil
	}
	var failed []error
	for _, a := range *s.accounts.Load() {
		a.mu.Lock()
		failed = append(failed, a.journal.close())
		a.mu.Unlock()
	}
	return errors.Join(append(failed, s.data.close())...)
}

// CreateAccount creates the account, or changes its settings if it exists. settings is a Settings, a map, or anything
// else that encodes to a JSON object with some of Settings' members; nil takes the defaults.
func (s *Server) CreateAccount(name string, settings any) error {
	patch := []byte("{}")
	if settings != nil {
		patch = []byte(mustMarshal(settings))
	}
	_, err := s.configure(name, patch)
	return err
}

func (s *Server) configure(name string, patch []byte) (*account, error) {
	if !validName(name) {
		return nil, fmt.Errorf("account name %q: only a-z, 0-9 and - are possible, at most 63", name)
	}
	s.creating.Lock()
	defer s.creating.Unlock()
	if a := s.account(name); a != nil {
		return a, a.configure(patch)
	}
	settings, err := defaultSettings().with(patch)
	if err != nil {
		return nil, err
	}
	a := newAccount(name, settings, newBirth())
	if s.data != nil {
		if a.journal, err = s.data.create(a); err != nil {
			return nil, err
		}
	}
	s.publish(a)
	return a, nil
}

func (s *Server) publish(a *account) {
	next := maps.Clone(*s.accounts.Load())
	next[a.name] = a
	s.accounts.Store(&next)
}

// account returns nil for an unknown name.
func (s *Server) account(name string) *account { return (*s.accounts.Load())[name] }

func validName(name string) bool {
	if name == "" || len(name) > 63 {
		return false
	}
	return strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// ServeHTTP answers /accounts/{name}/... as Zendesk would, and /_sandbox/... for the tests.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/_sandbox/") {
		s.control.ServeHTTP(w, r)
		return
	}
	rest, ok := strings.CutPrefix(r.URL.Path, "/accounts/")
	name, path, _ := strings.Cut(rest, "/")
	a := s.account(name)
	if !ok || a == nil {
		refuseUnknownAccount(w, r)
		return
	}
	client := s.edge.client(r)
	now := time.Now().UnixNano()
	if status, retryAfter := s.edge.block(client, a, now); status != 0 {
		a.countEdgeBlock(client, now, status)
		writeEdgeBlock(w, r, status, retryAfter)
		return
	}
	a.serve(w, r, path, client, now)
}
