package csvbundle

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"farewell/destination"
	"farewell/migration"
)

// leastSpace is below what a first bundle and its parts should be begun with:
// 10,000 tickets take about 50 MB, twice.
const leastSpace = 1 << 30

// accessWrite is W_OK and X_OK of access(2): make and remove files in a folder.
const accessWrite = 0x2 | 0x1

// Preflight implements destination.Destination.
func (b *Bundle) Preflight(ctx context.Context, in destination.PreflightInput) ([]destination.Check, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	checks, usable, err := b.vault.check(ctx)
	if err != nil {
		return nil, b.failure("check the place of bundle "+b.vault.where(), err)
	}
	if usable {
		bundle, err := b.checkBundle(ctx, in)
		if err != nil {
			return nil, b.failure("check bundle "+b.vault.where(), err)
		}
		checks = append(checks, bundle)
	}
	return checks, nil
}

func (f *folder) check(context.Context) (checks []destination.Check, usable bool, err error) {
	c := f.checkFolder()
	if !c.OK {
		return []destination.Check{c}, false, nil
	}
	space, err := f.checkSpace()
	return []destination.Check{c, space}, true, err
}

// checkFolder asks the system whether we may write, without writing.
func (f *folder) checkFolder() destination.Check {
	c := destination.Check{Name: "bundle folder", Fatal: true}
	existing, err := existingFolder(f.root)
	if err == nil {
		err = syscall.Access(existing, accessWrite)
	}
	if err != nil {
		c.Text = fmt.Sprintf("%s cannot be written: %v", f.root, err)
		c.Fix = "let the worker's user write there, or change the column url of the accounts file"
		return c
	}
	c.OK = true
	c.Text = f.root + " can be written"
	if existing != f.root {
		c.Text = f.root + " will be made"
	}
	return c
}

// existingFolder is the path, or the nearest one above it that exists.
func existingFolder(path string) (string, error) {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return path, nil
	case err == nil:
		return "", &fs.PathError{Op: "open folder", Path: path, Err: syscall.ENOTDIR}
	case errors.Is(err, fs.ErrNotExist) && path != filepath.Dir(path):
		return existingFolder(filepath.Dir(path))
	}
	return "", err
}

func (f *folder) checkSpace() (destination.Check, error) {
	existing, err := existingFolder(f.root)
	if err != nil {
		return destination.Check{}, err
	}
	var stat syscall.Statfs_t
	if err := syscall.Statfs(existing, &stat); err != nil {
		return destination.Check{}, err
	}
	free := stat.Bavail * uint64(stat.Bsize)
	c := destination.Check{
		Name: "disk space", OK: free >= leastSpace, Fatal: true, Override: "disk-space",
		Text: fmt.Sprintf("%.1f GB free under %s", float64(free)/1e9, f.root),
	}
	if !c.OK {
		c.Fix = "make room: a bundle and its parts take about twice the size of the customer's text"
	}
	return c, nil
}

// checkBundle looks at what lies under the bundle's name already.
func (b *Bundle) checkBundle(ctx context.Context, in destination.PreflightInput) (destination.Check, error) {
	c := destination.Check{Name: "bundle", Fatal: true}
	published, err := b.record(ctx)
	if destination.KindOf(err) == destination.Misconfigured {
		c.Text = fmt.Sprintf("%s is in the way: it is no bundle of ours", b.vault.where())
		c.Fix = "move it away, or change the account's name or url in the accounts file"
		return c, nil
	}
	if err != nil {
		return c, err
	}
	owner, err := b.owner(ctx, published)
	if err != nil {
		return c, err
	}
	switch {
	case owner != nil && *owner != in.Migration:
		c.Text = fmt.Sprintf("%s belongs to the migration %s", b.vault.where(), owner)
		c.Fix = "give the account another name or url in the accounts file"
	case published != nil && in.LedgerEmpty:
		c.Text = fmt.Sprintf("%s is published already, but the ledger knows nothing of it", b.vault.where())
		c.Fix = "run `starter reconcile " + in.Migration.Customer + "`, which rebuilds the ledger from the bundle; or move it and " + b.vault.staging() + " away to export afresh"
	case published != nil:
		c.OK, c.Text = true, b.vault.where()+" is published; this run may add to it"
	default:
		c.OK, c.Text = true, b.vault.where()+" does not exist yet"
	}
	return c, nil
}

// owner is the migration whose bundle, or else whose parts, are there; nil if
// there are neither.
func (b *Bundle) owner(ctx context.Context, published *record) (*migration.Migration, error) {
	if published != nil {
		return &published.Migration, nil
	}
	content, err := b.vault.anyDescription(ctx)
	if err != nil || content == nil {
		return nil, err // nobody's yet
	}
	part, err := parsePart(content)
	return &part.Migration, err
}
