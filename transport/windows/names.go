package windows

import (
	"fmt"
	"strings"
)

// longestPath is what Windows takes without a special prefix, in characters.
const longestPath = 259

// checkPath refuses what is no whole path with a drive, and what cmd.exe might
// understand otherwise within quotes.
func checkPath(p string) error {
	switch {
	case !hasDrive(p):
		return fmt.Errorf("%q is not a whole path of a Windows machine", p)
	case len(p) > longestPath:
		return fmt.Errorf("%q is longer than the %d characters of a path", p, longestPath)
	case strings.ContainsFunc(p[2:], odd):
		return fmt.Errorf("%q holds a character that cannot be given to cmd.exe safely", p)
	}
	for name := range strings.SplitSeq(p[3:], "/") {
		if name == ".." || name != "" && strings.ContainsAny(name[len(name)-1:], ". ") {
			return fmt.Errorf("%q holds a name that Windows reads otherwise", p)
		}
	}
	return nil
}

// hasDrive: "C:/" and more.
func hasDrive(p string) bool {
	return len(p) >= 3 && (p[0] >= 'A' && p[0] <= 'Z' || p[0] >= 'a' && p[0] <= 'z') && p[1] == ':' && p[2] == '/'
}

// odd reports whether a character is none of those that stand for themselves
// within the quotes of cmd.exe and in the name of a file.
func odd(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(" /._-()[]{}+,@~#$'", r))
}

// native is a path as cmd.exe wants it, in quotes. The path was checked.
func native(p string) string { return `"` + backslashed(p) + `"` }

func backslashed(p string) string { return strings.ReplaceAll(p, "/", `\`) }

// slashed is a path that the machine told, as the rest of the program writes it.
func slashed(p string) string {
	p = strings.ReplaceAll(p, `\`, "/")
	if trimmed := strings.TrimRight(p, "/"); len(trimmed) > 2 {
		return trimmed
	}
	return p
}

// remote is a path as Microsoft's SFTP server wants it.
func remote(p string) string { return "/" + p }
