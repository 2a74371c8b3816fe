package posix

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"ntl-setup/transport"
)

// section is one marked answer.
type section struct {
	index int    // of the query or action
	name  string // what it tells
	data  []byte
}

// Why a reply could not be read to its end.
var (
	// errNoShell: not even the first mark came.
	errNoShell = errors.New("no mark of the script in the answer")
	// errShort: it ended before the last mark.
	errShort = errors.New("the answer ended early")
	// errForeign: something stands between the marks that the script did not write.
	errForeign = errors.New("foreign text in the answer")
)

// NoShellError says that no POSIX shell read the script, and so nothing of it
// was done: some other shell, or none, answered. Errors of Look and Do wrap it.
type NoShellError struct {
	// Answer is what came instead.
	Answer transport.Output
}

// Error is the start of what came instead, in one line.
func (e *NoShellError) Error() string {
	if said := transport.Printable(firstOf(e.Answer.Stdout, e.Answer.Stderr)); said != "" {
		return said
	}
	return fmt.Sprintf("nothing but status %d", e.Answer.Status)
}

// parseReply reads what a script printed. Sections that are complete are
// returned also with an error. adds knows the lines that may stand between
// sections though no script wrote them; nil: there are none.
func parseReply(mark string, out []byte, adds func(line string) bool) ([]section, error) {
	begin := []byte("\n" + mark + " ready\n")
	at := bytes.Index(out, begin)
	if at < 0 {
		return nil, errNoShell
	}
	rest := out[at+len(begin):]
	var sections []section
	for {
		line, after, whole := bytes.Cut(rest, []byte("\n"))
		if !whole {
			return sections, errShort
		}
		words := strings.Fields(string(line))
		switch {
		case len(words) == 2 && words[0] == mark && words[1] == "done":
			return sections, nil
		case adds != nil && adds(string(line)):
			rest = after
			continue
		case len(words) != 3 || words[0] != mark:
			return sections, errForeign
		}
		index, err := strconv.Atoi(words[1])
		if err != nil || index < 0 {
			return sections, errForeign
		}
		data, next, whole := bytes.Cut(after, []byte("\n"+mark+" end\n"))
		if !whole {
			return sections, errShort
		}
		sections = append(sections, section{index: index, name: words[2], data: data})
		rest = next
	}
}
