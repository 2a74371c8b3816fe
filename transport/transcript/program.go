package transcript

import (
	"bytes"
	"fmt"

	"ntl-setup/transport"
)

// withoutProgram is a script without a program that it brings along: a megabyte
// that tells nobody anything. How long it was is said in its place.
func withoutProgram(script []byte) []byte {
	before, rest, begins := bytes.Cut(script, []byte(transport.ProgramBegins+"\n"))
	program, after, ends := bytes.Cut(rest, []byte("\n"+transport.ProgramEnds+"\n"))
	if !begins || !ends {
		return script
	}
	return fmt.Appendf(bytes.Clone(before), "# a program is brought along here: %d bytes, which are not recorded\n%s", len(program), after)
}
