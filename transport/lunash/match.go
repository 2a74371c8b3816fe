package lunash

import (
	"context"
	"regexp"
)

// matcher collects the text of a terminal and waits in it for a pattern. There
// are two: goexpect behind this interface, and one of our own for Windows,
// which goexpect cannot be built for. Both pass the same tests.
//
// feed and end are called by one goroutine, await by another; close by any, at
// any time, more than once.
type matcher interface {
	// feed adds text; it fails once the matcher is closed.
	feed(p []byte) error
	// end says that no more text comes.
	end()
	// await waits until the collected text matches re, and takes all of it. The
	// pattern must be anchored at the end (\z) and need no more than the last
	// searchDepth bytes. When the text ends, the matcher is closed or the
	// context is done, await fails with what is left; after a done context the
	// matcher is closed.
	await(ctx context.Context, re *regexp.Regexp) (string, error)
	// close ends every call that waits, and waits for the matcher's goroutines.
	close()
}

// searchDepth is how far from the end a prompt or a question is looked for, in
// bytes: more than the widest line that a terminal of ours shows.
const searchDepth = 1024
