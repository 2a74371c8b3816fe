package chrystoki

import (
	"fmt"
	"strings"
)

// ParseINI reads crystoki.ini, the configuration of a Windows client: the same
// sections and entries, as "[Section]" and "Key=value" lines. What it does not
// understand for certain is a *[SyntaxError].
//
// Windows reads such a file by its profile functions, so what these and a
// person would read in different ways is refused: a name that stands twice (the
// first one counts, the second looks as if it did), a line that is neither
// section, entry nor comment, a byte order mark (which hides the first section).
func ParseINI(data []byte) (*File, error) { return parseINI(string(data)) }

// parseINI is the only reader of the INI grammar.
func parseINI(text string) (*File, error) {
	if len(text) > MaxSize {
		return nil, &SyntaxError{Line: 1, Why: fmt.Sprintf("larger than %d bytes, so no client configuration", MaxSize)}
	}
	s := scanner{File: File{text: text, ini: true}}
	if at := controlAt(text); at >= 0 {
		return nil, s.errorAt(at, fmt.Sprintf("control character %#02x", text[at]))
	}
	if at := strings.Index(text, byteOrderMark); at >= 0 {
		return nil, s.errorAt(at, "byte order mark, behind which Windows does not see the first section")
	}
	for line := range strings.Lines(text) {
		if err := s.line(strings.TrimRight(line, "\r\n")); err != nil {
			return nil, err
		}
		s.pos += len(line)
	}
	if n := len(s.sections); n > 0 {
		s.sections[n-1].end = len(text)
	}
	return &s.File, nil
}

// line reads one line, without its end; s.pos is where it begins.
func (s *scanner) line(line string) error {
	t := trim(line)
	switch {
	case t == "", t[0] == ';', t[0] == '#':
		return nil
	case t[0] == '[':
		return s.header(line, t)
	case len(s.sections) == 0:
		return s.errorAt(s.pos, "text outside of a section")
	}
	return s.pair(line)
}

// header reads "[Name]".
func (s *scanner) header(line, t string) error {
	name := trim(strings.TrimSuffix(t[1:], "]"))
	if t[len(t)-1] != ']' || name == "" || strings.ContainsAny(name, "[]") {
		return s.errorAt(s.pos, "not of the form '[Name]'")
	}
	if first := s.findSection(name); first >= 0 {
		return s.errorAt(s.pos, fmt.Sprintf("section stands twice, first on line %d", s.lineOf(s.sections[first].start)))
	}
	if n := len(s.sections); n > 0 {
		s.sections[n-1].end = s.pos
	}
	n := len(s.entries)
	s.sections = append(s.sections, section{
		name: name, start: s.pos + strings.Index(line, name), open: s.pos + strings.LastIndexByte(line, ']'), first: n, last: n,
	})
	return nil
}

// pair reads "Key=value".
func (s *scanner) pair(line string) error {
	key, value, ok := strings.Cut(line, "=")
	if !ok {
		return s.errorAt(s.pos, "neither a section, nor an entry, nor a comment")
	}
	e := entry{section: len(s.sections) - 1, key: trim(key), value: trim(value), equals: s.pos + len(key), end: s.pos + len(line)}
	if e.key == "" {
		return s.errorAt(s.pos, "entry without a name")
	}
	if first := s.find(s.sections[e.section].name, e.key); first >= 0 {
		return s.errorAt(s.pos, fmt.Sprintf("entry stands twice, first on line %d", s.lineOf(s.entries[first].start)))
	}
	e.start = s.pos + strings.Index(line, e.key)
	if e.val = e.end; e.value != "" {
		e.val = e.equals + 1 + strings.Index(value, e.value)
	}
	s.entries = append(s.entries, e)
	s.sections[e.section].last = len(s.entries)
	return nil
}

// isPath reports whether the value of an entry is a path of this client's disk
// that the link hangs on.
func isPath(section, key string) bool {
	return sameFold(trim(section), SectionClient) &&
		(sameFold(trim(key), KeyClientCert) || sameFold(trim(key), KeyClientKey) || sameFold(trim(key), KeyServerCA))
}

// insertINI adds an entry behind another of its section, or as its first.
func (f *File) insertINI(s, after int, lead string, add Entry) error {
	model, from := after, f.sections[s].open
	if after < f.sections[s].first {
		model, lead = f.foreignModel(s), ""
	} else {
		from = f.entries[after].end
	}
	body := f.indent(model) + f.body(model, s, add)
	if nl := strings.IndexByte(f.text[from:], '\n'); nl >= 0 {
		at := from + nl + 1
		return f.splice(at, at, lead+body+f.lineEnd(from), add)
	}
	return f.splice(len(f.text), len(f.text), f.lineEnd(from)+lead+body, add)
}

// appendINI adds a section with one entry at the end of the file, behind a blank
// line if the last section stands behind one.
func (f *File) appendINI(add Entry) error {
	end, n := f.lineEnd(len(f.text)), len(f.sections)
	var b strings.Builder
	if f.text != "" && !strings.HasSuffix(f.text, "\n") {
		b.WriteString(end)
	}
	if n > 1 {
		before := f.text[:f.lineStart(f.sections[n-1].start)]
		if trim(strings.TrimRight(lastLine(before), "\r\n")) == "" {
			b.WriteString(end)
		}
	}
	model := f.foreignModel(n)
	b.WriteString("[" + add.Section + "]" + end + f.indent(model) + f.body(model, n, add) + end)
	return f.splice(len(f.text), len(f.text), b.String(), add)
}
