package lunash

import (
	"strings"
	"time"
)

// ending is what the end of the text so far looks like.
type ending int

const (
	unfinished ending = iota
	proved            // trailer and prompt: finished
	prompted          // a prompt without a trailer: finished if nothing follows
	empty             // a prompt and no text: maybe a prompt that came late
	loose             // a prompt's text inside a line
	question          // it seems to wait for an answer
	demand            // a login's last words want something done; banners warn in such words too
)

// patience is how long the appliance must be silent before an ending counts, as
// a multiple of Options.SettleQuiet. What would be costly to mistake waits longer.
func (e ending) patience(settle time.Duration) time.Duration {
	switch e {
	case unfinished, proved:
		return 0
	case prompted:
		return settle
	case loose, question:
		return 20 * settle
	case empty:
		return 40 * settle
	case demand:
		return 100 * settle // a slow prompt may follow a banner
	}
	return 0
}

// judgeReply judges the text since a command line was sent.
func judgeReply(text, line string) ending {
	tail := tailOf(text)
	switch {
	case endsLikePrompt(tail):
		return judgePrompt(text, tail, line)
	case asks(tail) && strings.TrimSpace(stripEcho(text, line)) != "":
		return question
	}
	return unfinished
}

// judgePrompt tells apart the kinds of text that end with a prompt's.
func judgePrompt(text, tail, line string) ending {
	switch {
	case endProved.MatchString(tail):
		return proved
	case strings.TrimSpace(readReply(text, line).text) == "":
		return empty
	case endPrompt.MatchString(tail):
		return prompted
	}
	return loose
}

// judgeLogin judges the text since the terminal was opened. A prompt is enough:
// a login that wants something else first does not show one.
func judgeLogin(text string) ending {
	tail := tailOf(text)
	switch {
	case endPrompt.MatchString(tail):
		return proved
	case endsLikePrompt(tail):
		return loose
	case asks(tail), otherShell.MatchString(tail):
		return question
	case demands(tail):
		return demand
	}
	return unfinished
}

// demands reports whether the last words, whole lines perhaps, are of a login
// that wants something done before it goes on.
func demands(tail string) bool {
	last := strings.TrimSpace(lastLines(tail, 3))
	return newPassword.MatchString(last) || anyKey.MatchString(last)
}

// judgeFarewell judges the text after "quit": any prompt will do.
func judgeFarewell(text string) ending {
	if endsLikePrompt(tailOf(text)) {
		return proved
	}
	return unfinished
}

// endsLikePrompt is the quick look that most text does not pass.
func endsLikePrompt(tail string) bool {
	return strings.HasSuffix(strings.TrimRight(tail, " \t"), "unash:>")
}

func asks(tail string) bool {
	return endQuestion.MatchString(tail) || endProceed.MatchString(tail) || endPED.MatchString(tail)
}

// asksSecret reports whether the question at the end of text wants something
// that must not be typed by us.
func asksSecret(text string) bool {
	tail := tailOf(text)
	if endProceed.MatchString(tail) {
		return false
	}
	lines := strings.Split(strings.TrimSpace(tail), "\n")
	return secret.MatchString(strings.Join(lines[max(0, len(lines)-3):], "\n"))
}

// tailOf is the end of a text, as far as a prompt is looked for, from the
// beginning of a line. It is empty when the last line is longer than that: no
// prompt is.
func tailOf(text string) string {
	if len(text) <= searchDepth {
		return text
	}
	tail := text[len(text)-searchDepth:]
	_, tail, _ = strings.Cut(tail, "\n")
	return tail
}
