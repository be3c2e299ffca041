package csvbundle

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"farewell/destination"
)

// store brings the views of one try to the disk. A failure of the disk comes
// back as the destination's error, one of the source as it is.
func (b *Bundle) store(op, try string, views []string, copy destination.CopyViews) (map[string]partFile, error) {
	segments := make(map[string]*segment, len(views))
	var diskFailed error
	rows, err := copy(func(view string) (io.Writer, error) {
		if !slices.Contains(views, view) || segments[view] != nil {
			return nil, fmt.Errorf("view %s is opened twice, or is none of the part's", view)
		}
		s, err := createSegment(b.disk, filepath.Join(try, fileName(view)))
		if err != nil {
			diskFailed = err
			return nil, err
		}
		segments[view] = s
		return s, nil
	})
	for _, s := range segments {
		if diskFailed == nil {
			diskFailed = s.err
		}
	}
	switch {
	case diskFailed != nil:
		err = b.failure(op, diskFailed)
	case err != nil:
		err = fmt.Errorf("%s: %w", op, err)
	}
	if err != nil {
		for _, s := range segments {
			s.abandon()
		}
		return nil, err
	}
	return b.finishAll(op, views, segments, rows)
}

// finishAll closes every view's file, whatever happens to the others.
func (b *Bundle) finishAll(op string, views []string, segments map[string]*segment, rows map[string]int64) (map[string]partFile, error) {
	files := make(map[string]partFile, len(views))
	var all error
	for _, view := range views {
		s := segments[view]
		if s == nil {
			all = errors.Join(all, refused(op, "view not copied", fmt.Errorf("nothing was copied for view %s", view), ""))
			continue
		}
		d, err := s.finish()
		switch {
		case err != nil:
			all = errors.Join(all, b.failure(op, err))
		case d.Bytes > 0 && s.last != '\n':
			all = errors.Join(all, &destination.Error{Op: op, Kind: destination.Temporary, Code: "cut short",
				Err: fmt.Errorf("the source's stream of view %s ends inside a row", view)})
		}
		files[view] = partFile{Rows: rows[view], digest: d}
	}
	return files, all
}
