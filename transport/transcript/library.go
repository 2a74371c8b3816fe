package transcript

import (
	"bytes"
	"fmt"

	"ntl-setup/transport"
)

// mostLibraries bounds how many libraries a log remembers. There are as many as
// there are sorts of exchanges, which are few.
const mostLibraries = 32

// withoutLibrary is a script whose library, where this log has it already, is
// one line that tells where. Every poll sends the same hundreds of lines.
func (c channel) withoutLibrary(script []byte) []byte {
	begin, end := []byte(transport.LibraryBegins+"\n"), []byte(transport.LibraryEnds+"\n")
	before, rest, begins := bytes.Cut(script, begin)
	library, after, ends := bytes.Cut(rest, end)
	if !begins || !ends {
		return script
	}
	where, told := c.log.tells(c.name, string(library))
	if !told {
		return script
	}
	return fmt.Appendf(bytes.Clone(before), "# the library of %d lines that %s was sent, then:\n%s", bytes.Count(library, []byte("\n")), where, after)
}

// tells is the channel on whose lines a library is already; if it is on none, the
// asking one is about to tell it.
func (l *Log) tells(channel, library string) (where string, told bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if where, told = l.libraries[library]; !told && len(l.libraries) < mostLibraries {
		l.libraries[library] = channel
	}
	return where, told
}
