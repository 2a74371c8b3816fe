package steps

import (
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"ntl-setup/transport"
)

// The words of a line, for the shell that it is typed in. On Unix the lines mean
// the same in sh and csh, whichever the login shell is; so there is no `if`, and
// no redirection of standard error.

// byHand begins a line that cannot be typed as it is.
const byHand = "# by hand"

// shell is a line for the client's shell.
func (t *typist) shell(words []string) string { return t.unless(nil, words) }

// unless is a line that does nothing where one of the files is there.
func (t *typist) unless(files, words []string) string {
	if t.layout.Kind == Windows {
		return unlessOnWindows(files, words)
	}
	var parts []string
	for _, f := range files {
		parts = append(parts, shellLine("test", "-e", f))
	}
	parts = append(parts, shellLine(words...))
	for _, p := range parts {
		if strings.HasPrefix(p, byHand) {
			return p
		}
	}
	return strings.Join(parts, " || ")
}

// makeDir is a line for a directory that may be there.
func (t *typist) makeDir(dir string) string {
	if t.layout.Kind == Windows {
		return t.unless([]string{dir}, []string{"mkdir", dir})
	}
	return t.shell([]string{"mkdir", "-p", dir})
}

// unlessOnWindows is the same for cmd.exe, in its own words for what is done on a
// Unix client. Files are told by their whole path; what has none is beside the
// user who types.
func unlessOnWindows(files, words []string) string {
	own := map[string]string{"rm": "del", "mv": "move", "cp": "copy /y", "mkdir": "mkdir", "vi": "notepad", "touch": "copy /y nul"}
	cannot := byHand + ", for a name cannot be shown: " + transport.Printable(strings.Join(words, " "))
	line := ""
	for _, f := range files {
		if !plainDrivePath(f) {
			return cannot
		}
		line += "if not exist " + nativePath(f) + " "
	}
	first, known := own[words[0]]
	switch {
	case known:
	case plainDrivePath(words[0]):
		first = nativePath(words[0])
	default:
		return byHand + ": " + transport.Printable(strings.Join(words, " "))
	}
	line += first
	for _, w := range words[1:] {
		switch {
		case known && strings.HasPrefix(w, "-"): // cp -p, mkdir -p: as these do it anyway
		case plainDrivePath(w):
			line += " " + nativePath(w)
		case plainWord(w):
			line += " " + w
		default:
			return cannot
		}
	}
	if transport.Printable(line) != line {
		return cannot
	}
	return line
}

// plainWord reports whether a word means itself in every shell, and for scp.
func plainWord(w string) bool { return w != "" && !strings.ContainsFunc(w, special) }

// octal is a mode as chmod wants it.
func octal(m fs.FileMode) string { return fmt.Sprintf("%04o", m.Perm()) }

func decimal(n int) string { return strconv.Itoa(n) }
