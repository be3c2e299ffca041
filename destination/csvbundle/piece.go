package csvbundle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// readPiece reads one view of a part, passes on what follows its first bytes,
// and refuses it when it is not what was written.
func (b *Bundle) readPiece(ctx context.Context, op string, p piece, skip int64, to io.Writer) error {
	from, err := b.vault.openRows(ctx, p.part.Try, p.View, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return b.missingPart(op, p.part.ref(), err)
	}
	if err != nil {
		return err
	}
	defer from.Close()
	hashed := newHashing(io.Discard)
	begin, err := io.CopyN(hashed, reading{ctx, from}, skip)
	if err == nil {
		hashed.to = to
		_, err = io.CopyBuffer(hashed, reading{ctx, from}, make([]byte, bufferSize))
	}
	if errors.Is(err, io.EOF) && begin < skip {
		err = nil // it is too short, as its digest says
	}
	if err != nil {
		return err
	}
	if hashed.digest() != p.digest {
		return b.damagedPart(op, p.part, p.View)
	}
	return nil
}

func (b *Bundle) damagedPart(op string, p storedPart, view string) error {
	return refused(op, "part damaged", fmt.Errorf("the rows of %s in %s/%s are not what was written", view, b.vault.staging(), p.Try),
		"look at the store; bring the part back from a copy, or export the partition again")
}

// reading ends a long copy when nobody waits for it any more.
type reading struct {
	ctx  context.Context
	from io.Reader
}

func (r reading) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.from.Read(p)
}
