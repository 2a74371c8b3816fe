package posix

import (
	"crypto/rand"
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"ntl-setup/transport"
)

//go:embed probe.sh
var probeLibrary string

//go:embed bring.sh
var bringLibrary string

// largestProgram bounds what is brought along, in bytes as it is sent.
const largestProgram = 8 << 20

// lookLibraryFor is what the calls of these queries need.
func lookLibraryFor(queries []transport.Query) string {
	if slices.ContainsFunc(queries, func(q transport.Query) bool {
		return q.Kind == transport.QueryProbe || q.Kind == transport.QueryProgram
	}) {
		return lookLibrary + probeLibrary
	}
	return lookLibrary
}

// addProgram is addTo of where a program is, and of what the machine runs.
func (s section) addProgram(f *transport.Fact, value string) {
	if s.name == "machine" {
		f.Machine = value
		return
	}
	f.Found = value
}

// bringLibraryFor is what the calls of these actions need besides.
func bringLibraryFor(actions []transport.Action) string {
	if slices.ContainsFunc(actions, func(a transport.Action) bool { return a.Kind == transport.ActBring }) {
		return probeLibrary + bringLibrary
	}
	return ""
}

// bringCall is the call of a program that is brought along, between the marks
// that tell a transcript what it need not hold.
func bringCall(i int, a transport.Action) (before, call string, err error) {
	if len(a.Data) > largestProgram {
		return "", "", fmt.Errorf("%w: more than %d bytes", transport.ErrTooLarge, largestProgram)
	}
	data := fmt.Sprintf("data_%d", i)
	content, err := printer(data, a.Data)
	if err != nil {
		return "", "", err
	}
	words, err := quoteAll(a.Argv)
	if err != nil {
		return "", "", err
	}
	dir, err := quote(a.Path)
	name := ".ntl-setup-" + strings.ToLower(rand.Text())
	before = transport.ProgramBegins + "\n" + content + transport.ProgramEnds + "\n"
	return before, fmt.Sprintf("do_bring %s %s %s %s", dir, data, name, words), err
}
