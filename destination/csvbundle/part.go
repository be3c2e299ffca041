package csvbundle

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"

	"farewell/destination"
	"farewell/migration"
)

// storedPart describes a complete part. The part's data lies in Folder; this
// description is written last, and under a name that does not change: a part
// exists if and only if its description does.
type storedPart struct {
	Migration migration.Migration `json:"migration"`
	Partition string              `json:"partition"`
	Pass      int                 `json:"pass"`
	After     string              `json:"after,omitempty"` // the partition's range
	UpTo      string              `json:"up_to,omitempty"`
	Folder    string              `json:"folder"`
	Files     map[string]partFile `json:"files"` // by view
}

// partFile is one view of a part: CSV without a header row.
type partFile struct {
	Rows int64 `json:"rows"`
	digest
}

func (p storedPart) ref() destination.PartRef {
	return destination.PartRef{Partition: p.Partition, Pass: p.Pass}
}

// partKey begins the names of everything that belongs to a part.
func partKey(ref destination.PartRef) string {
	return fmt.Sprintf("%s.%d", url.PathEscape(ref.Partition), ref.Pass)
}

func (b *Bundle) descriptionPath(ref destination.PartRef) string {
	return filepath.Join(b.staging(), partKey(ref)+".json")
}

// WritePart implements destination.Streams, in constant memory. Of several
// tries of the same part at the same time, the one that began last wins, and
// the others fail: a worker that was cut off and comes back cannot replace its
// successor's work.
func (b *Bundle) WritePart(_ context.Context, in destination.PartsInput, views []string, copy destination.CopyViews) (destination.Part, error) {
	ref := destination.PartRef{Partition: in.Partition.ID, Pass: in.Pass}
	op := fmt.Sprintf("write part %s pass %d", ref.Partition, ref.Pass)
	if err := b.mayWrite(op, in, views); err != nil {
		return destination.Part{}, err
	}
	try, err := b.beginTry(ref)
	if err != nil {
		return destination.Part{}, b.failure(op, err)
	}
	part := storedPart{
		Migration: in.Migration, Partition: ref.Partition, Pass: ref.Pass,
		After: in.Partition.After, UpTo: in.Partition.UpTo, Folder: filepath.Base(try),
	}
	if part.Files, err = b.store(op, try, views, copy); err != nil {
		return destination.Part{}, errors.Join(err, b.endTry(op, try))
	}
	if err := b.commit(part); err != nil {
		return destination.Part{}, errors.Join(b.failure(op, err), b.endTry(op, try))
	}
	return summary(part), nil
}

// mayWrite refuses what would damage the bundle that is published already.
func (b *Bundle) mayWrite(op string, in destination.PartsInput, views []string) error {
	for _, view := range views {
		if !slices.Contains(fileViews(), view) {
			return refused(op, "unknown view", fmt.Errorf("a bundle has no file for the view %q", view), "")
		}
	}
	published, err := b.published()
	if err != nil {
		return b.failure(op, err)
	}
	if published == nil {
		return nil
	}
	if err := b.belongs(op, published.Migration, in.Migration); err != nil {
		return err
	}
	p := published.part(destination.PartRef{Partition: in.Partition.ID, Pass: in.Pass})
	if p == nil || replaceable(p, in) {
		return nil
	}
	return refused(op, "already published",
		errors.New("a part of this name, with other records, is in the published bundle: replacing it would lose them"),
		"if the ledger was lost, run `starter reconcile`; to export afresh, move "+b.target()+" and "+b.staging()+" away")
}

// replaceable tells whether a new try of a published part brings the same
// records, or more: a range read again does, a catch-up of other ids does not.
func replaceable(p *manifestPart, in destination.PartsInput) bool {
	return in.Pass == 0 && len(in.IDs) == 0 && p.After == in.Partition.After && p.UpTo == in.Partition.UpTo
}

// belongs refuses the folder of another customer.
func (b *Bundle) belongs(op string, found, wanted migration.Migration) error {
	if found == wanted {
		return nil
	}
	return misconfigured(op, fmt.Errorf("the bundle %s belongs to the migration %s", b.target(), found),
		"give the account "+b.account+" another name or url in the accounts file")
}

// beginTry takes earlier tries of the part out of the way and makes a folder
// for this one.
func (b *Bundle) beginTry(ref destination.PartRef) (string, error) {
	if err := makeFolders(b.disk, b.staging()); err != nil {
		return "", err
	}
	if err := b.removeTries(ref); err != nil {
		return "", err
	}
	try := filepath.Join(b.staging(), partKey(ref)+".try-"+randomSuffix())
	return try, b.disk.Mkdir(try)
}

// removeTries deletes every try of the part but the complete one. A try is
// renamed before it is emptied: from then on its writer, should it be alive,
// finds its folder missing and cannot commit.
func (b *Bundle) removeTries(ref destination.PartRef) error {
	complete, err := b.storedPart(ref)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	tries, err := namesWithPrefix(b.staging(), partKey(ref)+".try-")
	if err != nil {
		return err
	}
	for _, try := range tries {
		if try == complete.Folder {
			continue
		}
		dead := filepath.Join(b.staging(), partKey(ref)+".dead-"+randomSuffix())
		if err := b.disk.Rename(filepath.Join(b.staging(), try), dead); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	dead, err := namesWithPrefix(b.staging(), partKey(ref)+".dead-")
	if err != nil {
		return err
	}
	for _, name := range dead {
		if err := removeFolder(b.disk, filepath.Join(b.staging(), name)); err != nil {
			return err
		}
	}
	return nil
}

// endTry deletes what a failed try leaves, so that a full disk gets its space back.
func (b *Bundle) endTry(op, try string) error {
	return b.failure(op+": clean up", removeFolder(b.disk, try))
}

// commit makes the part complete: its description moves out of the try's
// folder to its final name, in one step that replaces an earlier one.
func (b *Bundle) commit(part storedPart) error {
	try := filepath.Join(b.staging(), part.Folder)
	description, err := json.MarshalIndent(part, "", "  ")
	if err != nil {
		return err
	}
	draft := filepath.Join(try, "part.json")
	if err := writeSmall(b.disk, draft, append(description, '\n')); err != nil {
		return err
	}
	if err := b.disk.SyncFolder(try); err != nil {
		return err
	}
	replaced, err := b.storedPart(part.ref())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := b.disk.Rename(draft, b.descriptionPath(part.ref())); err != nil {
		return err
	}
	if err := b.disk.SyncFolder(b.staging()); err != nil {
		return err
	}
	if replaced.Folder == "" || replaced.Folder == part.Folder {
		return nil
	}
	return removeFolder(b.disk, filepath.Join(b.staging(), replaced.Folder))
}

// storedPart reads the description of a complete part. Without one, the error
// is fs.ErrNotExist.
func (b *Bundle) storedPart(ref destination.PartRef) (storedPart, error) {
	return readPart(b.descriptionPath(ref))
}

func readPart(path string) (storedPart, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return storedPart{}, err
	}
	var part storedPart
	if err := json.Unmarshal(content, &part); err != nil {
		return storedPart{}, fmt.Errorf("read %s: %w", path, err)
	}
	return part, nil
}

func summary(part storedPart) destination.Part {
	sum := destination.Part{Rows: make(map[string]int64, len(part.Files))}
	for view, f := range part.Files {
		sum.Rows[view] = f.Rows
		sum.Bytes += f.Bytes
	}
	return sum
}
