package lunash

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"ntl-setup/transport"
)

// reply is what the appliance said to one command.
type reply struct {
	text string // without echo, prompts and trailer
	code int    // of the trailer; noTrailer when there was none
	word string // of the trailer: "Success", "Luna Shell execution"
}

const noTrailer = -1

// textMax bounds the reply text that an error carries.
const textMax = 300

var (
	trailerLine = regexp.MustCompile(`(?m)^[ \t]*` + trailer)
	onlyPrompts = regexp.MustCompile(`\A\s*(?:` + prompt + `\s*)*\z`)
	leadPrompts = regexp.MustCompile(`\A\s*(?:` + prompt + `\s*)+`)
	tailPrompts = regexp.MustCompile(`(?:` + prompt + `\s*)+\z`)
	errorLine   = regexp.MustCompile(`(?im)^[ \t]*error[ \t]*:`)
)

// readReply takes a reply apart. raw is everything from the sent line to the
// prompt, stripped; line is what was sent.
//
// Only a trailer with nothing but prompts after it counts: one in the middle is
// part of some output.
func readReply(raw, line string) reply {
	r := reply{code: noTrailer}
	text := raw
	if all := trailerLine.FindAllStringSubmatchIndex(raw, -1); len(all) > 0 {
		m := all[len(all)-1]
		code, err := strconv.ParseInt(raw[m[2]:m[3]], 10, 32)
		if err == nil && onlyPrompts.MatchString(raw[m[1]:]) {
			text, r.code, r.word = raw[:m[0]], int(code), raw[m[4]:m[5]]
		}
	}
	if r.code == noTrailer {
		text = tailPrompts.ReplaceAllString(text, "")
	}
	r.text = stripEcho(text, line)
	return r
}

// stripEcho removes from the front of a reply the prompts that came late and
// the echoed command line, if there is one.
func stripEcho(text, line string) string {
	for {
		rest := leadPrompts.ReplaceAllString(text, "")
		if after, ok := cutEcho(rest, line); ok {
			rest = after
		}
		if rest == text {
			return text
		}
		text = rest
	}
}

// cutEcho removes the command line from the front of text. White space does
// not count: terminals pad an echoed line with blanks and break it at their
// width, in the middle of a word.
func cutEcho(text, line string) (string, bool) {
	rest := text
	for _, want := range line {
		if unicode.IsSpace(want) {
			continue
		}
		rest = strings.TrimLeftFunc(rest, unicode.IsSpace)
		r, size := utf8.DecodeRuneInString(rest)
		if r != want {
			return text, false
		}
		rest = rest[size:]
	}
	first, after, _ := strings.Cut(rest, "\n")
	if strings.TrimSpace(first) != "" {
		return text, false // the line goes on: it is no echo
	}
	return after, true
}

// refused reports whether the appliance said no. An "Error:" line counts even
// beside "Command Result : 0": failed logins were published that way.
func (r reply) refused() bool { return r.code > 0 || errorLine.MatchString(r.text) }

// errors is the reply from its first "Error:" line on.
func (r reply) errors() string {
	if at := errorLine.FindStringIndex(r.text); at != nil {
		return r.text[at[0]:]
	}
	return ""
}

// fail makes the error of a reply that is no success: the kind that its words
// fit, else otherwise.
func (r reply) fail(host string, line Line, v verb, otherwise error) *ReplyError {
	kind := classify(v, r, line.values())
	if kind == nil {
		kind = otherwise
	}
	return &ReplyError{Host: host, Command: line.String(), Code: r.code, Text: shorten(r.text), Kind: kind}
}

// confirm holds the three proofs of a command that changes something; nil when
// all are there.
func (r reply) confirm(host string, line Line, v verb) error {
	switch {
	case r.refused():
		return r.fail(host, line, v, nil)
	case r.code != 0, !positive(v).MatchString(r.text):
		return r.fail(host, line, v, ErrUnproven)
	}
	return nil
}

// shorten makes remote text fit for a message.
func shorten(text string) string {
	text = transport.Printable(text)
	if len(text) <= textMax {
		return text
	}
	cut := textMax
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}
