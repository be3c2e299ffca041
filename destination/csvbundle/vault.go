package csvbundle

import (
	"context"
	"io"
	"io/fs"

	"farewell/destination"
)

// vault is where the parts and the bundle of an account lie. Names of parts are
// those of partKey; a try is a name that beginTry made up.
type vault interface {
	// where names the bundle for people.
	where() string
	// staging names the place of the parts for people.
	staging() string

	// check looks whether there can be written, and writes nothing.
	check(ctx context.Context) (checks []destination.Check, usable bool, err error)

	// beginTry makes room for a part's rows, and takes earlier tries of the
	// part, except the one to keep, out of the way.
	beginTry(ctx context.Context, part, keep string) (try string, err error)
	// createRows begins one of a try's files.
	createRows(ctx context.Context, try, name string) (sink, error)
	// commitPart makes the part complete: in one step, its description takes
	// the place of an earlier one. It fails when a later try has begun.
	commitPart(ctx context.Context, part, try string, description []byte) error
	// endTry deletes what a failed try has left.
	endTry(ctx context.Context, try string) error
	// description reads what commitPart wrote; fs.ErrNotExist: there is none.
	description(ctx context.Context, part string) ([]byte, error)
	// anyDescription reads one of them; nil: there is none.
	anyDescription(ctx context.Context) ([]byte, error)
	// createFile begins the file of an attachment, as one of a try's files.
	createFile(ctx context.Context, try, name string) (sink, error)
	// dropFile deletes one that was abandoned.
	dropFile(ctx context.Context, try, name string) error
	// keepFile moves one that is finished to the part's kept files, where it
	// outlives its try. It is on the disk when the part is committed.
	keepFile(ctx context.Context, part, try, name, as string) error
	// keptNames lists a part's kept files. openRows and adopt take them with
	// keptFolder as their try.
	keptNames(ctx context.Context, part string) ([]string, error)
	// dropKept deletes one of a part's kept files.
	dropKept(ctx context.Context, part, name string) error
	// fetches is how many files may be on their way into a part at a time.
	fetches() int

	// openRows reads one of a try's files from an offset on.
	openRows(ctx context.Context, try, name string, offset int64) (io.ReadCloser, error)
	// untouched tells whether one of a try's files is for certain as this process
	// has written it since a bundle was last published.
	untouched(try, name string) bool

	// published opens the bundle that is there. fs.ErrNotExist: none is.
	published(ctx context.Context) (bag, error)
	// publish puts a bundle in the place of the one that is there, or leaves
	// that one as it is. write must create the manifest last.
	publish(ctx context.Context, write func(shelf) error) error
	// repair undoes a publish that was cut short.
	repair(ctx context.Context) error
	// tidy deletes what publishing left, and the tries of these parts except
	// the one to keep of each.
	tidy(ctx context.Context, keep map[string]string) error
	// close ends what the vault keeps open.
	close() error
	// lock keeps two publishings apart; the lock ends with its process.
	lock(ctx context.Context) (unlock func(), err error)
}

// bag is a bundle that can be read. Its names are paths with slashes.
type bag interface {
	fs.FS
	io.Closer
}

// shelf is a bundle in the making.
type shelf interface {
	create(name string) (sink, error)
	// adopt makes one of a try's files a file of the bundle, without copying
	// it. false: that cannot be done here.
	adopt(try, file, name string) (bool, error)
	// parallel tells whether several files can be open at a time.
	parallel() bool
}

// sink is a file in the making. Exactly one of finish and abandon ends it.
type sink interface {
	io.Writer
	finish() error // brings it to where it stays
	abandon()      // what was written does not matter any more
}
