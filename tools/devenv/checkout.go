package main

import "path/filepath"

// checkout names the folders of one clone of Farewell. Everything that the
// development environment makes is below .dev, except the built binaries.
type checkout struct{ root string }

func (c checkout) dev(name ...string) string {
	return filepath.Join(append([]string{c.root, ".dev"}, name...)...)
}

func (c checkout) binary(name string) string { return filepath.Join(c.root, "bin", name) }

func (c checkout) tools(name string) string { return filepath.Join(c.root, "tools", name) }
