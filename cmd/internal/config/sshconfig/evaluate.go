package sshconfig

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"ntl-setup/transport"
)

const (
	deepest = 16      // Include in Include, as OpenSSH
	largest = 1 << 20 // of a file; nobody writes a larger one by hand
)

// Query is who wants to reach what.
type Query struct {
	Host  string // as it was typed, without user and port
	User  string // as it was typed; empty: none was
	Port  int    // as it was typed; 0: none was
	Local string // the login name on this machine
	Home  string // the home directory; it has .ssh/config
	// Getenv reads the environment, for values that name a variable.
	Getenv func(string) string
}

// value is what a line gives.
type value struct {
	words []string
	place string // file:line
	// keyword in the manual's spelling.
	keyword string
}

// evaluator collects what applies to one host.
type evaluator struct {
	query    Query
	values   map[string][]value // by slot
	ignored  []string           // patterns of IgnoreUnknown
	warnings []string
}

// Evaluate reads the configuration in a home directory. Without one, or without
// the file, nothing is set.
func Evaluate(q Query) Settings {
	e := &evaluator{query: q, values: map[string][]value{}}
	if q.Home != "" {
		e.file(filepath.Join(q.Home, ".ssh", "config"), 0)
	}
	return e.settings()
}

func (e *evaluator) warn(place, format string, args ...any) {
	text := place + ": " + transport.Printable(fmt.Sprintf(format, args...))
	if !slices.Contains(e.warnings, text) {
		e.warnings = append(e.warnings, text)
	}
}

// shown is a path as messages have it.
func (e *evaluator) shown(path string) string {
	if rest, ok := strings.CutPrefix(path, e.query.Home+string(filepath.Separator)); ok {
		path = "~/" + filepath.ToSlash(rest)
	}
	return transport.Printable(path)
}

// read reads a file that only its owner may write to.
func read(path string) (string, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return "", err
	case !info.Mode().IsRegular():
		return "", errors.New("it is no plain file")
	case info.Size() > largest:
		return "", errors.New("it is too large")
	case runtime.GOOS != "windows" && info.Mode().Perm()&0o022 != 0:
		return "", fmt.Errorf("others may write to it (mode %04o); chmod 600 it", info.Mode().Perm())
	}
	data, err := os.ReadFile(path) //nolint:gosec // the user's own file
	return string(data), err
}

// block is where a line stands.
type block struct {
	verdict
	place string // of its Match line
	told  bool
}

// file takes the lines of one file, to whose end a block lasts at most.
func (e *evaluator) file(path string, depth int) {
	text, err := read(path)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			e.warn(e.shown(path), "not read: %v", err)
		}
		return
	}
	at := block{verdict: verdict{applies: true}} // lines before the first block are for every host
	number := 0
	for line := range strings.Lines(text) {
		number++
		keyword, rest := directive(line)
		if keyword == "" {
			continue
		}
		place := fmt.Sprintf("%s:%d", e.shown(path), number)
		switch keyword {
		case "host", "match":
			at = e.block(keyword, rest, place)
		case "include":
			e.include(&at, rest, place, depth)
		default:
			e.line(&at, keyword, rest, place)
		}
	}
}

// block judges the line that begins a block.
func (e *evaluator) block(keyword, rest, place string) block {
	at := block{place: place}
	args, err := words(rest)
	switch {
	case err != nil:
	case len(args) == 0:
		err = errors.New("it lacks its value")
	case keyword == "host":
		// Unlike in Match, upper and lower case differ.
		at.applies = anyOf(args, e.query.Host)
	default:
		at.verdict, err = e.matchLine(args)
	}
	if err != nil {
		e.warn(place, "the block is not taken: %v", err)
		at.verdict = verdict{}
	}
	return at
}

// skips reports whether a line is none of the host's business. A block that
// might be, but hangs on what cannot be told here, is told once.
func (e *evaluator) skips(at *block, what string) bool {
	if !at.applies {
		return true
	}
	if at.unknown != "" && !at.told {
		at.told = true
		e.warn(at.place, "the block is not taken, for %q cannot be told here; it has %s", "Match "+at.unknown, what)
	}
	return at.unknown != ""
}

// include takes other files in, each as a file of its own.
func (e *evaluator) include(at *block, rest, place string, depth int) {
	if e.skips(at, "Include") {
		return
	}
	patterns, err := words(rest)
	if err == nil && len(patterns) == 0 {
		err = errors.New("it lacks its value")
	}
	if err == nil && depth == deepest {
		err = errors.New("too many files in each other")
	}
	if err != nil {
		e.warn(place, "Include: %v", err)
		return
	}
	for _, p := range patterns {
		p, err := e.tilde(p)
		if err != nil {
			e.warn(place, "Include: %v", err)
			continue
		}
		if !filepath.IsAbs(p) {
			p = filepath.Join(e.query.Home, ".ssh", p)
		}
		paths, err := filepath.Glob(p)
		if err != nil {
			e.warn(place, "Include %s: %v", p, err)
		}
		for _, path := range paths {
			e.file(path, depth+1)
		}
	}
}

// line takes a keyword with its value. Those that nobody asks about pass by.
func (e *evaluator) line(at *block, keyword, rest, place string) {
	k, wanted := taken(keyword)
	if wanted && len(e.values[k.slot]) > 0 && !k.adds {
		return // the first value wins
	}
	if !wanted {
		if at.applies && at.unknown == "" {
			e.other(keyword, rest, place)
		}
		return
	}
	if e.skips(at, k.name) {
		return
	}
	args, err := words(rest)
	if k.rest {
		args, err = []string{rest}, nil
	}
	switch {
	case err != nil:
	case len(args) == 0 || args[0] == "":
		err = errors.New("it lacks its value")
	case len(args) > 1 && !k.many:
		err = errors.New("it takes one value")
	}
	if err != nil {
		e.warn(place, "%s is not taken: %v", k.name, err)
		return
	}
	e.values[k.slot] = append(e.values[k.slot], value{args, place, k.name})
}

// other looks at a keyword that decides nothing here, to tell a misspelt one.
func (e *evaluator) other(keyword, rest, place string) {
	if keyword == "ignoreunknown" {
		e.ignored = append(e.ignored, strings.Split(strings.ToLower(rest), ",")...)
		return
	}
	if !slices.Contains(strings.Fields(passedBy), keyword) && !anyOf(e.ignored, keyword) {
		e.warn(place, "no such keyword: %q", keyword)
	}
}
