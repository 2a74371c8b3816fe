package sshconfig

import (
	"errors"
	"strings"
)

const blank = " \t\r\n\f"

// directive splits a line into its keyword, in lower case, and the rest. The
// keyword ends at a blank or an equals sign; both may follow it.
func directive(line string) (keyword, rest string) {
	line = strings.Trim(line, blank)
	if line == "" || line[0] == '#' {
		return "", ""
	}
	i := strings.IndexAny(line, blank+"=")
	if i < 0 {
		return strings.ToLower(line), ""
	}
	rest = strings.TrimLeft(line[i:], blank)
	rest = strings.TrimLeft(strings.TrimPrefix(rest, "="), blank)
	return strings.ToLower(line[:i]), rest
}

var errQuotes = errors.New("a quote is not closed")

// words splits arguments at blanks. Both kinds of quotes keep blanks together,
// a backslash takes away the meaning of a quote, of itself, and, outside quotes,
// of a blank; elsewhere it is a character like others. A word that begins with #
// ends the line.
func words(text string) ([]string, error) {
	var s splitter
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '#' && !s.inside:
			return s.all, nil
		case s.quote == 0 && (c == ' ' || c == '\t'):
			s.end()
		case c == '\\' && i+1 < len(text) && escapable(text[i+1], s.quote):
			i++
			s.put(text[i])
		default:
			s.take(c)
		}
	}
	if s.quote != 0 {
		return nil, errQuotes
	}
	s.end()
	return s.all, nil
}

// splitter is words at work.
type splitter struct {
	all    []string
	word   strings.Builder
	inside bool // a word, which may be empty yet
	quote  byte // the one that is open; 0: none
}

// take takes a character that is a quote or stands for itself.
func (s *splitter) take(c byte) {
	switch {
	case s.quote == 0 && (c == '"' || c == '\''):
		s.quote, s.inside = c, true
	case s.quote != 0 && c == s.quote:
		s.quote = 0
	default:
		s.put(c)
	}
}

func (s *splitter) put(c byte) {
	s.word.WriteByte(c)
	s.inside = true
}

func (s *splitter) end() {
	if s.inside {
		s.all = append(s.all, s.word.String())
	}
	s.word.Reset()
	s.inside = false
}

func escapable(c, quote byte) bool {
	return c == '\'' || c == '"' || c == '\\' || c == ' ' && quote == 0
}
