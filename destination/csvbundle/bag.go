package csvbundle

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"farewell/migration"
)

// The names of BagIt 1.0, RFC 8493. A bundle without manifestName is
// incomplete: it is the last file to be written.
const (
	dataFolder      = "data"
	packageName     = dataFolder + "/datapackage.json"
	errorsName      = dataFolder + "/errors.csv"
	declarationName = "bagit.txt"
	infoName        = "bag-info.txt"
	manifestName    = "manifest-sha256.txt"
	tagManifestName = "tagmanifest-sha256.txt"
	readmeName      = "README.txt"

	declaration = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
)

// bagWriter writes a bag and keeps the digest of every file.
type bagWriter struct {
	shelf shelf

	// attachments calls do for the file of each attachment. They may be too many
	// for a map.
	attachments func(do func(name string, d digest) error) error

	mu    sync.Mutex
	files map[string]digest
}

func newBagWriter(s shelf) *bagWriter {
	return &bagWriter{shelf: s, files: map[string]digest{}, attachments: func(func(string, digest) error) error { return nil }}
}

func (w *bagWriter) create(name string) (*segment, error) {
	to, err := w.shelf.create(name)
	if err != nil {
		return nil, err
	}
	return newSegment(to), nil
}

func (w *bagWriter) close(name string, s *segment) (digest, error) {
	d, err := s.close()
	if err != nil {
		return d, err
	}
	w.note(name, d)
	return d, nil
}

func (w *bagWriter) note(name string, d digest) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.files[name] = d
}

func (w *bagWriter) small(name, content string) error {
	s, err := w.create(name)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(s, content); err != nil {
		s.abandon()
		return err
	}
	_, err = w.close(name, s)
	return err
}

// complete writes all that describes the tables' files, the manifest last.
func (w *bagWriter) complete(r *record, faults []fault) error {
	if err := w.small(errorsName, errorsFile(faults)); err != nil {
		return err
	}
	described, err := dataPackage(r, w.files[errorsName], len(faults))
	if err != nil {
		return err
	}
	if err := w.small(packageName, described); err != nil {
		return err
	}
	kept, err := indented(r)
	if err != nil {
		return err
	}
	info, err := w.info(r)
	if err != nil {
		return err
	}
	for _, tag := range []struct{ name, content string }{
		{declarationName, declaration},
		{infoName, info},
		{readmeName, readme(r)},
		{recordName, kept},
	} {
		if err := w.small(tag.name, tag.content); err != nil {
			return err
		}
	}
	// The manifest is written twice, first to nowhere, since the other one has its
	// digest and must not be the last.
	manifest := newHashing(io.Discard)
	if err := w.payload(manifest); err != nil {
		return err
	}
	tags := w.manifest(func(name string) bool { return !isPayload(name) })
	if err := w.small(tagManifestName, tags+manifestLine(manifestName, manifest.digest())); err != nil {
		return err
	}
	s, err := w.create(manifestName)
	if err != nil {
		return err
	}
	if err := w.payload(s); err != nil {
		s.abandon()
		return err
	}
	_, err = w.close(manifestName, s)
	return err
}

// payload writes the manifest of the payload: the tables' files by name, and then
// the attachments in the order of their rows.
func (w *bagWriter) payload(to io.Writer) error {
	if _, err := io.WriteString(to, w.manifest(isPayload)); err != nil {
		return err
	}
	return w.attachments(func(name string, d digest) error {
		_, err := io.WriteString(to, manifestLine(name, d))
		return err
	})
}

func isAttachment(name string) bool { return strings.HasPrefix(name, attachmentsFolder+"/") }

func isPayload(name string) bool { return strings.HasPrefix(name, dataFolder+"/") }

// manifest lists the files that are written so far, in the order of their names.
func (w *bagWriter) manifest(listed func(name string) bool) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(w.files)) {
		if listed(name) {
			b.WriteString(manifestLine(name, w.files[name]))
		}
	}
	return b.String()
}

func manifestLine(name string, d digest) string { return d.SHA256 + "  " + name + "\n" }

func digestOf(content string) digest {
	h := newHashing(io.Discard)
	_, _ = io.WriteString(h, content) // io.Discard takes everything
	return h.digest()
}

// info is bag-info.txt.
func (w *bagWriter) info(r *record) (string, error) {
	var octets int64
	files := 0
	for name, d := range w.files {
		if isPayload(name) {
			octets += d.Bytes
			files++
		}
	}
	err := w.attachments(func(_ string, d digest) error {
		octets += d.Bytes
		files++
		return nil
	})
	var b strings.Builder
	line := func(label, value string) { fmt.Fprintf(&b, "%s: %s\n", label, oneLine(value)) }
	line("Bag-Software-Agent", "Farewell")
	line("Bagging-Date", r.AsOf.Format("2006-01-02"))
	line("External-Identifier", externalID(r.Migration))
	line("External-Description", "Help desk records, as CSV files with a Frictionless Data Package")
	line("Payload-Oxum", fmt.Sprintf("%d.%d", octets, files))
	return b.String(), err
}

func externalID(m migration.Migration) string { return m.Customer + "/" + m.Account }

// oneLine keeps a value from beginning a label of its own.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, text)
}
