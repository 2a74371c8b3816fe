package chrystoki

import "strings"

// defaultIndent is for a new line that has no neighbour: three blanks, as the
// client's own tools write.
const defaultIndent = "   "

// body is "Key = value;" in the form of the model entry; of a model from
// another section only whether there are blanks around the equals sign.
func (f *File) body(model, section int, add Entry) string {
	before, after, end := " ", " ", ";"
	if f.ini {
		before, after, end = "", "", ""
	}
	if model >= 0 {
		before, after = f.gaps(model)
		if f.entries[model].section == section {
			before = f.alignedGap(model, len(add.Key), before)
			after = f.shortestAfter(section, after)
		} else {
			before, after = oneBlank(before), oneBlank(after)
		}
	}
	return add.Key + before + "=" + after + add.Value + end
}

// gaps are the blanks before and behind the equals sign of an entry.
func (f *File) gaps(i int) (before, after string) {
	e := &f.entries[i]
	return f.text[e.start+len(e.key) : e.equals], f.text[e.equals+1 : e.val]
}

// alignedGap is the gap before the equals sign that keeps a column, where the
// model stands in one, and the model's own gap otherwise.
func (f *File) alignedGap(model, keyLen int, own string) string {
	column, ok := f.column(model)
	if !ok || !f.inColumn(model, column, len(own)) {
		return own
	}
	return strings.Repeat(" ", max(1, column-keyLen))
}

// column is where the equals sign of an entry stands, from the start of its
// key; ok only if at least one blank and nothing but blanks lead there.
func (f *File) column(i int) (int, bool) {
	before, _ := f.gaps(i)
	return len(f.entries[i].key) + len(before), before != "" && strings.Trim(before, " ") == ""
}

// inColumn tells whether the column of an entry is meant: its gap is wider than
// one blank, or an entry before it, with a key of another length and none out
// of the column in between, has its equals sign there too.
func (f *File) inColumn(i, column, gap int) bool {
	if gap > 1 {
		return true
	}
	for prev := i - 1; prev >= f.sections[f.entries[i].section].first; prev-- {
		if other, ok := f.column(prev); !ok || other != column {
			return false
		}
		if len(f.entries[prev].key) != len(f.entries[i].key) {
			return true
		}
	}
	return false
}

// shortestAfter is the narrowest gap behind an equals sign in a section, at most
// own: where numbers are aligned at their right, wider ones are padding.
func (f *File) shortestAfter(section int, own string) string {
	for i := f.sections[section].first; i < f.sections[section].last; i++ {
		if _, after := f.gaps(i); len(after) < len(own) && f.entries[i].value != "" {
			own = after
		}
	}
	return own
}

func oneBlank(gap string) string {
	if gap == "" {
		return ""
	}
	return " "
}

// foreignModel is the entry that the first entry of a section takes after: the
// last one before it, else the first one behind it, else none (-1).
func (f *File) foreignModel(section int) int {
	if len(f.entries) == 0 {
		return -1
	}
	if section < len(f.sections) {
		return max(0, f.sections[section].first-1)
	}
	return len(f.entries) - 1
}

// indent is the indentation of the line of an entry.
func (f *File) indent(i int) string {
	if i < 0 && f.ini {
		return ""
	}
	if i < 0 {
		return defaultIndent
	}
	start := f.entries[i].start
	before := f.text[f.lineStart(start):start]
	if strings.ContainsRune(before, '{') {
		return defaultIndent
	}
	return before[:len(before)-len(strings.TrimLeft(before, blanks))]
}

// openerForm is what stands between the name and the brace of a section.
func (f *File) openerForm() string {
	if len(f.sections) > 0 {
		last := &f.sections[len(f.sections)-1]
		if f.text[last.start+len(last.name):last.open] == "=" {
			return "="
		}
	}
	return " = "
}

// lineEnd is the line end of the line of a position; of the line before, if
// that one has none; else a line feed.
func (f *File) lineEnd(pos int) string {
	nl := strings.IndexByte(f.text[pos:], '\n')
	if nl >= 0 {
		nl += pos
	} else {
		nl = strings.LastIndexByte(f.text[:pos], '\n')
	}
	if nl > 0 && f.text[nl-1] == '\r' || nl < 0 && f.ini {
		return "\r\n"
	}
	return "\n"
}
