package steps

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"ntl-setup/steps/chrystoki"
	"ntl-setup/transport"
)

// Names and paths that a host tells are data. What a person may paste into a
// shell, and what a run may write to, is checked here first.

// offer is the advice to use a flag with a name that a host told. A name that
// could mean more in a shell than a name is not put behind a flag.
func offer(advice, flag, name string) string {
	if askable(name) {
		return advice + ": " + flag + " " + name
	}
	return fmt.Sprintf("%s would be the flag, but that name holds characters that no name here may have: look at it by hand", flag)
}

// askable reports whether a registered name can be sent to lunash: blanks may
// be read in other people's names, never sent.
func askable(name string) bool {
	const longest = 253 // a host name; client and partition names are shorter
	return name != "" && len(name) <= longest && !strings.HasPrefix(name, "-") && !strings.ContainsFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._:-", r))
	})
}

// pathEntries are the entries of a configuration whose files a run reads, and
// may write.
func pathEntries() []string { return []string{"ClientCertFile", "ClientPrivKeyFile", "ServerCAFile"} }

// checkPaths refuses a configuration whose paths are not plain ones: whoever
// reads the plan could not tell what would be read and written.
func checkPaths(host string, c confCopy) error {
	if c.file == nil {
		return nil
	}
	for _, key := range pathEntries() {
		value, ok := c.file.Get(chrystoki.SectionClient, key)
		plain := plainPath
		if hasDrive(c.path) {
			plain = plainDrivePath
		}
		if !ok || value == "" || plain(value) {
			continue
		}
		return conflict{
			reason: fmt.Sprintf("%s: %s of %s is no plain absolute path: %s", host, key, c.path, transport.Printable(value)),
			hint:   "write that entry as a whole path without .. and without characters that cannot be seen, and run again",
		}
	}
	return nil
}

// plainPath: absolute, without "..", and of characters that show themselves.
func plainPath(p string) bool {
	return path.IsAbs(p) && !slices.Contains(strings.Split(p, "/"), "..") && utf8.ValidString(p) &&
		!strings.ContainsFunc(p, func(r rune) bool { return !unicode.IsPrint(r) })
}
