package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// unread ends what is said of a text that could not be read to its end.
const unread = "; nothing else in the file could be checked"

// characters are the places of the text, each with the text from there on.
func (d *decoder) characters(each func(at Position, rest []byte) bool) {
	at := Position{1, 1}
	for rest := d.text; len(rest) > 0 && each(at, rest); {
		r, size := utf8.DecodeRune(rest)
		if rest = rest[size:]; r == '\n' || r == '\r' && !bytes.HasPrefix(rest, []byte("\n")) {
			at = Position{at.Line + 1, 1}
		} else if r != '\ufeff' {
			at.Column++
		}
	}
}

// wide reports whether the text is UTF-16, which the parser reads too.
func (d *decoder) wide() bool {
	return bytes.HasPrefix(d.text, []byte("\xff\xfe")) || bytes.HasPrefix(d.text, []byte("\xfe\xff"))
}

// unreadable tells the first byte that no YAML can hold. The parser would refuse
// it too, but without its place.
func (d *decoder) unreadable() bool {
	if d.wide() {
		return false
	}
	for at, rest := range d.characters {
		r, size := utf8.DecodeRune(rest)
		switch {
		case r == utf8.RuneError && size == 1:
			d.wrong("", at, "this is not YAML: a byte that is no UTF-8 (0x%02x) stands here; save the file as UTF-8%s", rest[0], unread)
			return true
		case r < ' ' && r != '\t' && r != '\n' && r != '\r', r >= 0x7f && r < 0xa0 && r != 0x85:
			d.wrong("", at, "this is not YAML: a control character (U+%04X) stands here%s", r, unread)
			return true
		}
	}
	return false
}

// syntax tells what the parser could not read.
func (d *decoder) syntax(err error) {
	text, at := strings.TrimPrefix(err.Error(), "yaml: "), Position{1, 1}
	var load *yaml.LoadError
	if errors.As(err, &load) {
		text = load.Message
		mark := load.Mark
		if quoted(load) {
			mark = load.ContextMark // where the quotes open: the end is the file's
		}
		at = Position{max(mark.Line, 1), max(mark.Column, 1)}
		if words := d.plain(load); words != "" {
			text = words
		}
	}
	d.wrong("", at, "this is not YAML: %s%s", text, unread)
}

// quoted reports whether quotes were never closed.
func quoted(e *yaml.LoadError) bool {
	return e.ContextMsg == "while scanning a quoted scalar" && strings.HasSuffix(e.Message, "end of stream")
}

// plain says in plain words what the parser says in its own; empty if it has
// none.
func (d *decoder) plain(e *yaml.LoadError) string {
	says := func(text string) bool { return strings.Contains(e.Message, text) }
	switch {
	case says("tab character"), says("cannot start any token") && d.at(e.Mark) == "\t":
		return "a tab stands here, and YAML is indented with blanks alone"
	case says("cannot start any token"):
		return "a value cannot begin with " + d.at(e.Mark) + " unless it is in quotes"
	case quoted(e):
		return "quotes open here that are never closed"
	case says("expected ',' or"):
		return fmt.Sprintf("a comma is missing before this, or the bracket that opens at %d:%d is not closed", e.ContextMark.Line, e.ContextMark.Column)
	case says("mapping values are not allowed"):
		return "a colon cannot stand here: a text that holds one is in quotes, and keys of one level are indented alike"
	case says("block sequence entries are not allowed"):
		return "a list cannot begin here: each of its dashes begins a line"
	case says("expected key"):
		return "a key and a colon were expected here: keys of one level are indented alike, and nothing follows a quote or bracket that closes a value"
	case says("expected '-' indicator"):
		return "the next dash of the list was expected here"
	case says("expected node content"):
		return "a value was expected here"
	case says("unknown anchor"):
		name := strings.TrimSuffix(strings.TrimPrefix(e.Message, "unknown anchor '"), "' referenced")
		return "*" + short(name) + " stands for nothing: no &" + short(name) + " is before it; a text that begins with * is in quotes"
	case says("unknown escape"):
		return "a backslash in double quotes begins an escape, and there is none like this; single quotes take it as it is"
	case says("incompatible YAML document"):
		return "this version of YAML is not read; the line can be left away"
	}
	return ""
}

// at is the character at a place in the text.
func (d *decoder) at(mark yaml.Mark) string {
	for at, rest := range d.characters {
		if at == (Position{mark.Line, mark.Column}) && !d.wide() {
			r, _ := utf8.DecodeRune(rest)
			return string(r)
		}
	}
	return "this"
}
