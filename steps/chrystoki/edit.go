package chrystoki

import (
	"errors"
	"fmt"
	"strings"
)

// maxLine bounds the lines that an edit may leave, in bytes. Readers of the
// format exist that have a line buffer of 1024.
const maxLine = 1000

// Set gives an entry a value. Of an entry that is there only the bytes of the
// value change; a missing entry is added behind the last one of its section,
// and a missing section at the end of the file. Nothing changes on an error:
// names and values that the format cannot hold are refused. In a crystoki.ini
// the paths of the link are given with slashes and written with backslashes.
func (f *File) Set(section, key, value string) error {
	section, key = trim(section), trim(key)
	if f.ini && isPath(section, key) {
		if have, ok := f.Get(section, key); ok && have == value {
			return nil
		}
		value = strings.ReplaceAll(value, "/", `\`)
	}
	want := Entry{Section: section, Key: key, Value: value}
	if err := want.check(); err != nil {
		return err
	}
	if i := f.find(section, key); i >= 0 {
		e := &f.entries[i]
		if e.value == value {
			return nil
		}
		return f.splice(e.val, e.val+len(e.value), value, want)
	}
	s := f.findSection(section)
	if s < 0 && f.ini {
		return f.appendINI(want)
	}
	if s < 0 {
		return f.appendSection(want)
	}
	return f.insert(s, f.sections[s].last-1, "", want)
}

// insert adds an entry to a section: on a line of its own behind the line of
// the entry with index after, or where the section is written on one line,
// right behind that entry. An after that is none of the section's entries means
// that it has none. lead comes before a line of its own.
func (f *File) insert(s, after int, lead string, add Entry) error {
	sec := &f.sections[s]
	if f.ini {
		return f.insertINI(s, after, lead, add)
	}
	if after < sec.first {
		return f.insertFirst(s, add)
	}
	model := &f.entries[after]
	body := f.body(after, s, add)
	if nl := strings.IndexByte(f.text[model.end:sec.end], '\n'); nl >= 0 {
		at := model.end + nl + 1
		return f.splice(at, at, lead+f.indent(after)+body+f.lineEnd(model.end), add)
	}
	return f.splice(model.end, model.end, " "+body, add)
}

// insertFirst adds the first entry of an empty section, before the line of its
// closing brace, behind comments that it may hold.
func (f *File) insertFirst(s int, add Entry) error {
	sec := &f.sections[s]
	model := f.foreignModel(s)
	body := f.body(model, s, add)
	within := f.text[sec.open+1 : sec.end]
	if nl := strings.LastIndexByte(within, '\n'); nl >= 0 {
		at := sec.open + 1 + nl + 1
		return f.splice(at, at, f.indent(model)+body+f.lineEnd(sec.open), add)
	}
	body = " " + body
	if within == "" {
		body += " "
	}
	return f.splice(sec.open+1, sec.open+1, body, add)
}

// appendSection adds a section with one entry at the end of the file, set off
// by a blank line.
func (f *File) appendSection(add Entry) error {
	end := f.lineEnd(len(f.text))
	var b strings.Builder
	switch text := strings.TrimPrefix(f.text, byteOrderMark); {
	case text == "":
	case !strings.HasSuffix(text, "\n"):
		b.WriteString(end + end)
	case trim(strings.TrimSuffix(lastLine(text), end)) != "":
		b.WriteString(end)
	}
	model := f.foreignModel(len(f.sections))
	b.WriteString(add.Section + f.openerForm() + "{" + end)
	b.WriteString(f.indent(model) + f.body(model, len(f.sections), add) + end)
	b.WriteString("}" + end)
	return f.splice(len(f.text), len(f.text), b.String(), add)
}

// lastLine is the last line of a text that ends in a line feed.
func lastLine(text string) string {
	return text[strings.LastIndexByte(text[:len(text)-1], '\n')+1:]
}

// splice exchanges text[from:to], unless the result would not hold want or has
// a line that is too long.
func (f *File) splice(from, to int, with string, want Entry) error {
	read := parse
	if f.ini {
		read = parseINI
	}
	next, err := read(f.text[:from] + with + f.text[to:])
	if err != nil {
		return fmt.Errorf("cannot set %q in section %q: %w", want.Key, want.Section, err)
	}
	got := next.find(want.Section, want.Key)
	if got < 0 || next.entries[got].value != want.Value {
		return fmt.Errorf("cannot set %q in section %q: it would not read back", want.Key, want.Section)
	}
	start := next.lineStart(next.entries[got].start)
	line, _, _ := strings.Cut(next.text[start:], "\n")
	if len(line) > maxLine {
		return fmt.Errorf("cannot set %q in section %q: the line would be longer than %d bytes", want.Key, want.Section, maxLine)
	}
	*f = *next
	return nil
}

// check refuses what the format cannot hold.
func (e Entry) check() error {
	if err := checkName("section", e.Section); err != nil {
		return err
	}
	if err := checkName("entry", e.Key); err != nil {
		return err
	}
	return checkValue(e.Value)
}

// checkName refuses names that the format cannot hold.
func checkName(what, name string) error {
	switch {
	case name == "":
		return fmt.Errorf("%s without a name", what)
	case strings.ContainsAny(name, "={};") || hasControl(name):
		return fmt.Errorf("%s name %q holds a character that the format cannot", what, name)
	}
	return nil
}

// checkValue refuses values that the format cannot hold. The value itself is
// kept out of the error: it may be a secret.
func checkValue(value string) error {
	switch {
	case strings.ContainsAny(value, "{};") || hasControl(value):
		return errors.New("value holds a character that the format cannot (braces, ';', control characters)")
	case trim(value) != value:
		return errors.New("value begins or ends with a blank, which readers drop")
	}
	return nil
}

func hasControl(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] == 0x7f {
			return true
		}
	}
	return false
}
