package csvbundle

import (
	"maps"
	"slices"
	"strings"
)

// attachments compares the files of attachments with the table that speaks of
// them: each row's file is there as it says, and no other is.
func (v *verifier) attachments(resources []resource) error {
	spoken := map[string]bool{}
	i := slices.IndexFunc(resources, func(r resource) bool { return r.Name == filesTable })
	if i >= 0 {
		for _, f := range resources[i].Files {
			name := dataFolder + "/" + f.Path
			_, err := v.each(resources[i], name, func(row int64, record []cell) {
				v.attachment(name, row, record, spoken)
			})
			if err != nil {
				return err
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(v.seen)) {
		if isAttachment(name) && !spoken[name] {
			v.problem(name, 0, "extra: no row of %s names it", filesTable)
		}
	}
	return nil
}

// attachment compares one row with its file.
func (v *verifier) attachment(in string, row int64, record []cell, spoken map[string]bool) {
	f, err := parseFileRow(record)
	there := f.status == "created"
	switch {
	case err != nil:
		v.problem(in, row, "it says no bytes of a file")
		return
	case there != (f.path != ""):
		v.problem(in, row, "its status is %q, and it names %s", f.status, map[bool]string{true: "a file", false: "no file"}[f.path != ""])
		return
	case !there:
		return
	case !isAttachment(f.path):
		v.problem(in, row, "its path is not below %s/", attachmentsFolder)
		return
	case spoken[f.path]:
		v.problem(in, row, "it names %s, as another row does", f.path)
		return
	}
	spoken[f.path] = true
	bytes, read := v.seen[f.path]
	switch {
	case !read:
		v.problem(f.path, 0, "missing: row %d of %s names it", row, strings.TrimPrefix(in, dataFolder+"/"))
	case bytes != f.digest.Bytes || v.sums[f.path] != f.digest.SHA256:
		v.problem(f.path, 0, "its size or SHA-256 is not what row %d of %s says", row, strings.TrimPrefix(in, dataFolder+"/"))
	}
}
