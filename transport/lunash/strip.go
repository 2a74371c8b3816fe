package lunash

// stripper removes from a terminal's output what only steers a terminal:
// carriage returns, escape sequences, other control characters. What remains is
// text with line feeds and tabs. It keeps its place between two calls, because
// a sequence may be split over two reads.
type stripper struct {
	state stripState
	n     int // bytes of the present sequence
}

type stripState int

const (
	ground    stripState = iota
	escape               // after ESC
	control              // CSI: until a final byte
	word                 // OSC, DCS and kin: until BEL or ESC \
	wordMaybe            // in a word, after ESC
)

// sequenceMax is where an escape sequence is given up: an unterminated one must
// not swallow a reply.
const sequenceMax = 1024

const (
	bel = 0x07
	esc = 0x1b
	del = 0x7f
)

// clean filters p in place and returns what is left of it.
func (s *stripper) clean(p []byte) []byte {
	out := p[:0]
	for _, c := range p {
		if s.keep(c) {
			out = append(out, c)
		}
	}
	return out
}

// keep reports whether a byte is text, and moves on.
func (s *stripper) keep(c byte) bool {
	if s.state == ground {
		if c == esc {
			s.state, s.n = escape, 0
			return false
		}
		return c == '\n' || c == '\t' || c >= ' ' && c != del
	}
	s.n++
	switch {
	case c == '\n' || s.n > sequenceMax:
		// No sequence goes over a line end: this one was never finished.
		s.state = ground
		return c == '\n'
	case s.state == escape:
		s.state = afterEscape(c)
	case s.state == control:
		// A byte below the parameters does not belong here; terminals go on.
		if c >= 0x40 && c <= 0x7e {
			s.state = ground
		}
	case c == esc:
		s.state = wordMaybe
	case s.state == wordMaybe && c == '\\', c == bel:
		s.state = ground
	default:
		s.state = word
	}
	return false
}

// afterEscape is what the byte after ESC begins.
func afterEscape(c byte) stripState {
	switch {
	case c == '[':
		return control
	case c == ']', c == 'P', c == 'X', c == '^', c == '_':
		return word
	case c >= 0x20 && c <= 0x2f, c == esc:
		return escape // intermediate bytes ("ESC ( B"), or a fresh start
	}
	return ground
}
