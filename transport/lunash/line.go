package lunash

import (
	"strings"

	"ntl-setup/transport"
)

// wordMax is the longest word that is sent. Client names are limited to 128
// characters by the appliance's REST interface; nothing that we send is longer.
const wordMax = 128

// Line is one command line for the appliance. It can only be made by [Cmd] and
// [Line.Flag], and only of words that mean themselves: lunash knows no quoting.
type Line struct {
	words []string
	err   error
}

// Cmd begins a line with the words of a command, which are constants of the
// caller ("client", "register"). They are written in full: abbreviations are
// unambiguous on one release and not on the next.
func Cmd(words ...string) Line { return Line{words: words} }

// Flag adds an option (a constant of the caller, with its dash) and its value.
// A value that is empty, longer than 128 characters, begins with a dash or
// holds anything but [A-Za-z0-9._:-] makes the line unsendable, see [Line.Err].
func (l Line) Flag(name, value string) Line {
	words := make([]string, 0, len(l.words)+2)
	words = append(append(words, l.words...), name, value)
	err := l.err
	if err == nil {
		err = checkWord(value)
	}
	return Line{words: words, err: err}
}

// Err is why the line must not be sent, an error of class config; nil if it may.
func (l Line) Err() error { return l.err }

// String is the line without its end.
func (l Line) String() string { return strings.Join(l.words, " ") }

// values are the words that came from outside: those after the options.
func (l Line) values() []string {
	var out []string
	for i, w := range l.words {
		if i > 0 && strings.HasPrefix(l.words[i-1], "-") {
			out = append(out, w)
		}
	}
	return out
}

// checkWord refuses what lunash could take for something else than one value.
func checkWord(w string) error {
	refuse := func(why string) error {
		return transport.Errorf(transport.ClassConfig, "", "%q cannot be sent to the appliance: %s", w, why).
			WithHint("names may be made of letters, digits, dot, underscore, colon and dash")
	}
	switch {
	case w == "":
		return refuse("it is empty")
	case len(w) > wordMax:
		return transport.Errorf(transport.ClassConfig, "",
			"a name of %d characters cannot be sent to the appliance: %d at most", len(w), wordMax)
	case w[0] == '-':
		return refuse("it begins with a dash")
	}
	for _, r := range w {
		if !plain(r) {
			return refuse("it holds other characters than [A-Za-z0-9._:-]")
		}
	}
	return nil
}

// plain reports whether a character means itself to lunash.
func plain(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
		return true
	}
	return r == '.' || r == '_' || r == ':' || r == '-'
}

// checkFile refuses a name that could leave the user's directory.
func checkFile(name string) error {
	if name == "." || name == ".." {
		return transport.Errorf(transport.ClassConfig, "", "%q is no file name", name)
	}
	return checkWord(name)
}
