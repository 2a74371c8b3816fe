package chrystoki

import (
	"fmt"
	"strings"
)

// MaxSize is the largest configuration that is read, in bytes. Real ones have
// one to three thousand; more is some other file.
const MaxSize = 64 << 10

// byteOrderMark may begin a file that was edited on Windows.
const byteOrderMark = "\ufeff"

// SyntaxError is a place in the file that is not understood for certain.
type SyntaxError struct {
	Line int    // from 1
	Text string // the line, shortened, secrets masked; it is remote text
	Why  string // what is wrong with it, lower case
}

// Error names the line, the reason and the text.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("line %d: %s: %q", e.Line, e.Why, e.Text)
}

// parse indexes a text. It is the only reader of the grammar.
func parse(text string) (*File, error) {
	if len(text) > MaxSize {
		return nil, &SyntaxError{Line: 1, Why: fmt.Sprintf("larger than %d bytes, so no client configuration", MaxSize)}
	}
	s := scanner{File: File{
		text:     text,
		sections: make([]section, 0, strings.Count(text, "{")),
		entries:  make([]entry, 0, strings.Count(text, ";")),
	}}
	if at := controlAt(text); at >= 0 {
		return nil, s.errorAt(at, fmt.Sprintf("control character %#02x", text[at]))
	}
	s.pos = len(text) - len(strings.TrimPrefix(text, byteOrderMark))
	if at := strings.Index(text[s.pos:], byteOrderMark); at >= 0 {
		return nil, s.errorAt(s.pos+at, "byte order mark within the file")
	}
	if err := s.run(); err != nil {
		return nil, err
	}
	return &s.File, nil
}

// controlAt is the first control character that is neither a TAB nor part of a
// line end, -1 when there is none. Files in UTF-16 are found by their NULs.
func controlAt(text string) int {
	for i := range len(text) {
		switch c := text[i]; {
		case c >= ' ' && c != 0x7f, c == '\t', c == '\n':
		case c == '\r' && (i+1 == len(text) || text[i+1] == '\n'):
		default:
			return i
		}
	}
	return -1
}

// scanner walks over the text once.
type scanner struct {
	File
	pos    int
	inside bool // within the last section
}

// run reads statements to the end of the text.
func (s *scanner) run() error {
	for s.skipBlank(); s.pos < len(s.text); s.skipBlank() {
		var err error
		switch {
		case !s.inside:
			err = s.opener()
		case s.text[s.pos] == '}':
			s.closer()
		default:
			err = s.entry()
		}
		if err != nil {
			return err
		}
	}
	if s.inside {
		return s.errorAt(s.sections[len(s.sections)-1].start, "section is not closed")
	}
	return nil
}

// skipBlank goes to the next statement, over blanks, line ends and comments. A
// '#' within a statement begins no comment: labels and paths may hold one.
func (s *scanner) skipBlank() {
	for s.pos < len(s.text) {
		switch s.text[s.pos] {
		case ' ', '\t', '\r', '\n':
			s.pos++
		case '#':
			end := strings.IndexByte(s.text[s.pos:], '\n')
			if end < 0 {
				s.pos = len(s.text)
				return
			}
			s.pos += end
		default:
			return
		}
	}
}

// statement is the text up to the character that ends it, and that character: a
// line feed or 0 when the line ends first.
func (s *scanner) statement() (string, byte) {
	rest := s.text[s.pos:]
	i := strings.IndexAny(rest, ";{}\n")
	if i < 0 {
		return rest, 0
	}
	return rest[:i], rest[i]
}

// opener reads "Name = {", which must be alone at the start of its line.
func (s *scanner) opener() error {
	head, mark := s.statement()
	if mark != '{' {
		return s.errorAt(s.pos, "text outside of a section")
	}
	if before := s.text[s.lineStart(s.pos):s.pos]; strings.ContainsRune(before, '}') {
		return s.errorAt(s.pos, "text behind the end of a section")
	}
	name, rest, ok := strings.Cut(head, "=")
	if name = trim(name); !ok || name == "" || trim(rest) != "" {
		return s.errorAt(s.pos, "not of the form 'Name = {'")
	}
	if first := s.findSection(name); first >= 0 {
		return s.errorAt(s.pos, fmt.Sprintf("section stands twice, first on line %d", s.lineOf(s.sections[first].start)))
	}
	n := len(s.entries)
	s.sections = append(s.sections, section{name: name, start: s.pos, open: s.pos + len(head), first: n, last: n})
	s.pos += len(head) + 1
	s.inside = true
	return nil
}

// closer reads the end of a section.
func (s *scanner) closer() {
	s.sections[len(s.sections)-1].end = s.pos
	s.pos++
	s.inside = false
}

// entry reads "Key = value;".
func (s *scanner) entry() error {
	text, mark := s.statement()
	switch mark {
	case ';':
	case '{':
		return s.errorAt(s.pos, "opening brace within a section")
	default:
		return s.errorAt(s.pos, "entry without ';'")
	}
	equals := strings.IndexByte(text, '=')
	if equals < 0 {
		return s.errorAt(s.pos, "entry without '='")
	}
	key, value := trim(text[:equals]), trim(text[equals+1:])
	if key == "" {
		return s.errorAt(s.pos, "entry without a name")
	}
	current := len(s.sections) - 1
	if first := s.find(s.sections[current].name, key); first >= 0 {
		return s.errorAt(s.pos, fmt.Sprintf("entry stands twice, first on line %d", s.lineOf(s.entries[first].start)))
	}
	val := len(text)
	if value != "" {
		val = equals + 1 + strings.Index(text[equals+1:], value)
	}
	s.entries = append(s.entries, entry{
		section: current, key: key, value: value,
		start: s.pos, equals: s.pos + equals, val: s.pos + val, end: s.pos + len(text) + 1,
	})
	s.sections[current].last = len(s.entries)
	s.pos += len(text) + 1
	return nil
}

// errorAt is the error for the line that holds a position.
func (s *scanner) errorAt(pos int, why string) error {
	const most = 80
	line := s.text[s.lineStart(pos):]
	line, _, _ = strings.Cut(line, "\n")
	line = trim(mask(strings.TrimSuffix(line, "\r")))
	if len(line) > most {
		line = line[:most] + "…"
	}
	return &SyntaxError{Line: s.lineOf(pos), Text: line, Why: why}
}

// lineStart is where the line of a position begins.
func (f *File) lineStart(pos int) int { return strings.LastIndexByte(f.text[:pos], '\n') + 1 }

// lineOf is the number of the line of a position.
func (f *File) lineOf(pos int) int { return strings.Count(f.text[:pos], "\n") + 1 }

// mask hides the values of entries that are named like a secret, such as
// AuthTokenClientSecret in the section REST of the cloud HSM. A path that has
// such a word in it is none.
func mask(line string) string {
	statements := strings.SplitAfter(line, ";")
	for i, statement := range statements {
		key, _, ok := strings.Cut(statement, "=")
		low := strings.ToLower(key)
		switch {
		case !strings.Contains(low, "secret") && !strings.Contains(low, "passw"):
		case ok:
			statements[i] = key + "= (not shown);"
		default:
			statements[i] = " (not shown)"
		}
	}
	return strings.Join(statements, "")
}
