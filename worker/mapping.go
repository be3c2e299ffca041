package main

import (
	"farewell/config"
	"farewell/mapping"
)

// mappingFile reads the mapping file whenever a run begins, so that a change
// needs no restart. It implements activities.Mappings.
type mappingFile struct {
	path     string // empty: there is none
	accounts *config.AccountsFile
}

func (f mappingFile) Of(customer string) (*mapping.Mapping, []mapping.Problem, error) {
	if f.path == "" {
		return nil, nil, nil
	}
	file, err := mapping.Read(f.path)
	if err != nil {
		return nil, nil, err
	}
	return file.Of(customer), file.Strangers(f.accounts.Accounts().Customers()), nil
}
