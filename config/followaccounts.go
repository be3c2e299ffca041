package config

import (
	"os"
	"sync"
	"time"
)

// AccountsFile follows the accounts file, so that a new customer needs no
// restart. It is safe for concurrent use.
type AccountsFile struct {
	path   string
	broken func(error)

	mu       sync.Mutex
	seen     version
	accounts Accounts
}

// version tells two states of a file apart without reading it.
type version struct {
	size     int64
	modified time.Time
}

// FollowAccounts reads the file, which must be good now. When a later version
// of it is not, the last good one stays in force and broken is told, once per
// version: half an edit must not stop every customer.
func FollowAccounts(path string, broken func(error)) (*AccountsFile, error) {
	f := &AccountsFile{path: path, broken: broken}
	// The version is taken first: a change in between is then read again.
	v := f.version()
	var err error
	if f.accounts, err = ReadAccounts(path); err != nil {
		return nil, err
	}
	f.seen = v
	return f, nil
}

// Accounts returns the accounts as they are now. The slice is not to be changed.
func (f *AccountsFile) Accounts() Accounts {
	f.mu.Lock()
	defer f.mu.Unlock()
	v := f.version()
	if v == f.seen {
		return f.accounts
	}
	f.seen = v
	accounts, err := ReadAccounts(f.path)
	if err != nil {
		f.broken(err)
		return f.accounts
	}
	f.accounts = accounts
	return f.accounts
}

// version of a file that is not there is the zero one: reading says why.
func (f *AccountsFile) version() version {
	info, err := os.Stat(f.path)
	if err != nil {
		return version{}
	}
	return version{size: info.Size(), modified: info.ModTime()}
}
