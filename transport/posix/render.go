package posix

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"ntl-setup/transport"
)

//go:embed common.sh
var commonLibrary string

//go:embed look.sh
var lookLibrary string

//go:embed act.sh
var actLibrary string

//go:embed lock.sh
var lockLibrary string

// largestFile bounds what is read from or written to one file, in bytes.
const largestFile = 1 << 20

// script wraps commands so that a shell runs nothing before it has read
// everything: it parses a brace group whole.
func script(mark, library, calls string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "{\nmark=%s\n%s\n", mark, transport.LibraryBegins)
	b.WriteString(withoutComments(commonLibrary))
	b.WriteString(withoutComments(library))
	fmt.Fprintf(&b, transport.LibraryEnds+"\nprintf '\\n%%s ready\\n' \"$mark\"\n%sprintf '%%s done\\n' \"$mark\"\nexit 0\n}\n", calls)
	return []byte(b.String())
}

// inTurn is two scripts as one, each in a shell of its own, and neither on what
// is left of the other's input. It is parsed whole too.
func inTurn(first, second []byte) []byte {
	return slices.Concat([]byte("{\n(\n"), first, []byte(") </dev/null\n(\n"), second, []byte(") </dev/null\n}\n"))
}

// withoutComments drops the comment lines: they are for readers here.
func withoutComments(library string) string {
	var b strings.Builder
	for line := range strings.Lines(library) {
		if t := strings.TrimSpace(line); t != "" && t[0] != '#' {
			b.WriteString(line)
		}
	}
	return b.String()
}

// renderLook is the script that answers the queries, numbered in their order.
// What cannot be asked becomes a problem of that query alone.
func renderLook(mark string, queries []transport.Query) []byte {
	var calls strings.Builder
	for i, q := range queries {
		call, err := lookCall(q)
		if err != nil {
			call = "look_refused " + mustQuote(transport.Printable(err.Error()))
		}
		fmt.Fprintf(&calls, "i=%d\n%s\n", i, call)
	}
	return script(mark, lookLibraryFor(queries), "answers() {\n"+calls.String()+"}\ncollect\n")
}

// mustQuote quotes text that has no control characters any more.
func mustQuote(s string) string {
	q, err := quote(s)
	if err != nil {
		return "''"
	}
	return q
}

func lookCall(q transport.Query) (string, error) {
	words := []string{q.Path}
	switch q.Kind {
	case transport.QuerySystem:
		return "look_system", nil
	case transport.QueryAddresses:
		return "look_addresses", nil
	case transport.QueryHolders:
		return holdersCall(q.Args)
	case transport.QueryRoute, transport.QueryReach:
		return netCall(q)
	case transport.QueryFile:
		if strings.HasSuffix(q.Path, "Key.pem") {
			return "", errors.New("a private key is not read")
		}
		words = append(words, strconv.Itoa(largestFile))
	case transport.QueryDir, transport.QueryKey, transport.QueryStat:
	case transport.QueryProgram:
		words = q.ArgList()
	case transport.QueryProcesses, transport.QueryVtl, transport.QueryProbe:
		words = append(words, q.ArgList()...)
	default:
		return "", fmt.Errorf("unknown query %q", q.Kind)
	}
	if err := checkPath(q.Path); err != nil {
		return "", err
	}
	quoted, err := quoteAll(words)
	return "look_" + string(q.Kind) + " " + quoted, err
}

// holdersCall refuses what is no plain file name.
func holdersCall(library string) (string, error) {
	if library == "" || strings.ContainsAny(library, "/\n\r\x00") {
		return "", fmt.Errorf("%q is no name of a library", library)
	}
	quoted, err := quote(library)
	return "look_holders " + quoted, err
}

// checkPath refuses what the scripts cannot carry faithfully: they read lines,
// and a path that begins with a slash can be no option.
func checkPath(p string) error {
	switch {
	case !path.IsAbs(p):
		return fmt.Errorf("%q is not an absolute path", p)
	case strings.ContainsAny(p, "\n\r\x00"):
		return fmt.Errorf("%q holds a line break or a NUL byte", p)
	}
	return nil
}

// renderDo is the script that does the actions in their order and stops at the
// first that fails.
func renderDo(mark string, actions []transport.Action) ([]byte, error) {
	var calls strings.Builder
	library := actLibrary
	calls.WriteString("entry=\n") // of the lock that a beat was for
	for i, a := range actions {
		if isLock(a.Kind) && library == actLibrary {
			library += lockLibrary
		}
		before, call, err := actCall(i, a)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", a.Kind, a.Path, err)
		}
		fmt.Fprintf(&calls, "%sact %d %s\n", before, i, call)
	}
	return script(mark, library+bringLibraryFor(actions), calls.String()), nil
}

// actCall is the call of one action, and what must be defined before it.
func actCall(i int, a transport.Action) (before, call string, err error) {
	if err := checkPath(a.Path); err != nil {
		return "", "", err
	}
	var words []string
	switch a.Kind {
	case transport.ActRun, transport.ActStart:
		words = a.Argv
	case transport.ActReplace, transport.ActCreate:
		return contentCall(i, a)
	case transport.ActBring:
		return bringCall(i, a)
	case transport.ActLock, transport.ActBeat, transport.ActUnlock:
		return lockCall(i, a)
	case transport.ActBackup, transport.ActMove:
		words, err = []string{a.Path, a.To}, checkPath(a.To)
	case transport.ActRemove, transport.ActMakeDir, transport.ActAbsent:
		words = []string{a.Path}
	case transport.ActChmod:
		words = []string{a.Path, octal(a.Mode)}
	case transport.ActStop:
		words = []string{strconv.Itoa(a.PID), a.Path, strconv.Itoa(seconds(a.Wait))}
	default:
		err = fmt.Errorf("unknown action %q", a.Kind)
	}
	if err != nil {
		return "", "", err
	}
	quoted, err := quoteAll(words)
	return "", "do_" + string(a.Kind) + " " + quoted, err
}

// contentCall is the call of an action that writes content. The content is a
// function of the script, so it lies complete on the machine before anything
// is touched.
func contentCall(i int, a transport.Action) (before, call string, err error) {
	if len(a.Data) > largestFile || len(a.Old) > largestFile {
		return "", "", fmt.Errorf("%w: more than %d bytes", transport.ErrTooLarge, largestFile)
	}
	name, err := quote(a.Path)
	if err != nil {
		return "", "", err
	}
	data := fmt.Sprintf("data_%d", i)
	before, err = printer(data, a.Data)
	if err != nil || a.Kind == transport.ActCreate {
		return before, fmt.Sprintf("do_create %s %s %s", name, octal(a.Mode), data), err
	}
	old := fmt.Sprintf("old_%d", i)
	held, err := printer(old, a.Old)
	return before + held, fmt.Sprintf("do_replace %s %s %s", name, old, data), err
}

// octal is a mode as chmod wants it.
func octal(m fs.FileMode) string {
	bits := m.Perm()
	for flag, bit := range map[fs.FileMode]fs.FileMode{
		fs.ModeSetuid: 0o4000, fs.ModeSetgid: 0o2000, fs.ModeSticky: 0o1000,
	} {
		if m&flag != 0 {
			bits |= bit
		}
	}
	return fmt.Sprintf("%04o", uint32(bits))
}

// seconds is a duration in whole seconds, rounded up.
func seconds(d time.Duration) int {
	return int((max(d, 0) + time.Second - 1) / time.Second)
}
