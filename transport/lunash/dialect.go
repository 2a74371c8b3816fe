package lunash

import (
	"regexp"
	"slices"
	"strings"

	"ntl-setup/transport"
)

// The words of lunash, as data: what a prompt, a trailer and a question look
// like, and which phrase of a refusal means what. Sources: published captures
// of releases 5.1 to 7.8 and the phrases that working automations look for.

const (
	// prompt: "[host] lunash:>", any host text, one appliance writes "Lunash:>",
	// and documents leave the bracket out. Some emulators put a blank after it.
	prompt = `(?:\[[^\]\n]*\][ \t]*)?[Ll]unash:>[ \t]*`
	// trailer: "Command Result : 0 (Success)", "... : 65535 (Luna Shell execution)".
	trailer = `Command Result[ \t]*:[ \t]*(\d{1,10})[ \t]*\(([^\n]*?)\)[ \t]*(?:\z|\n|` + prompt + `)`
	// pressKey: words that wait for any key, or a certain one.
	pressKey = `\b(?:press|hit|strike)\b[^\n]*\b(?:key|enter|return|space ?bar)\b[^\n]*`
)

var (
	// endProved: a trailer and nothing but prompts after it.
	endProved = regexp.MustCompile(`(?m)^[ \t]*Command Result[ \t]*:[ \t]*\d{1,10}[ \t]*\([^\n]*?\)\s*(?:` + prompt + `\s*?)+\z`)
	// endPrompt: the last line is a prompt, or several.
	endPrompt = regexp.MustCompile(`(?m)^[ \t]*(?:` + prompt + `)+\z`)
	// endQuestion: a last line that is not finished and waits for something.
	endQuestion = regexp.MustCompile(`(?:[?:>]|(?i:--more--|\(end\)|[[(]y(?:es)?[ ]?[/|,][ ]?no?[])]|` + pressKey + `))[ \t]*\z`)
	// endProceed: the confirmation of a dangerous command, which may take two
	// lines and may or may not be followed by "> ".
	endProceed = regexp.MustCompile(`(?i)\bproceed\b[^\n]*\n?[^\n]*\bquit\b[^\n]*\n?[^\n]*\n?[ \t>]*\z`)
	// endPED: "attend to the PED" waits for a key device, not for the keyboard.
	endPED = regexp.MustCompile(`(?i)attend to the PED[^\n]*\s*\z`)
	// wake: any end of text that one of the above could match. It only wakes the
	// shell up; what the text means is judged over all of it. One class of
	// characters, because a matcher looks through its whole buffer each time.
	wake = regexp.MustCompile(`[]>?:.'")!$#%-]\s*\z`)
	// anything: whatever has arrived.
	anything = regexp.MustCompile(`(?s).\z`)

	// secret: nothing is ever typed at a question like this.
	secret = regexp.MustCompile(`(?i)password|passphrase|\bpin\b|\bPED\b|challenge`)

	// newPassword: the dialogue of a first login or of an aged password.
	newPassword = regexp.MustCompile(`(?i)new password|must change your|changing password for|password\b[^\n]*\bexpired|required to change`)
	// anyKey: a finished line that waits for a key.
	anyKey = regexp.MustCompile(`(?i)` + pressKey + `\z`)
	// crowded: a session, a login or a copy, that was one too many.
	crowded = regexp.MustCompile(`(?i)too many (?:\w+ )?(?:sessions|connections|logins|users)\b|maximum (?:number of )?(?:\w+ )?(?:sessions|connections|logins)\b|session limit`)
	// otherShell: the prompt of some other shell: sh, root's, csh, NetScaler's.
	otherShell = regexp.MustCompile(`(?:[$#%]|(?m:^[^\n:?]{0,60}>))[ \t]*\z`)
	// bannerVersion: the release in a login banner; every generation puts it in
	// another place.
	bannerVersion = regexp.MustCompile(`(?i)\bluna\b[^\n]{0,60}?\bv?(\d{1,2}\.\d{1,3}(?:\.\d{1,3})?(?:-\d{1,5})?)`)
)

// verb is a command, as far as its answers differ.
type verb int

const (
	clientList verb = iota
	clientShow
	clientFingerprint
	clientRegister
	clientAssign
	partitionList
	hostipShow
	hostipMap
)

// phrase says what some words in a refusal mean.
type phrase struct {
	kind error
	re   *regexp.Regexp
}

// within is the rest of a sentence; a dot inside a word (an address, a host
// name) does not end it.
const within = `(?:[^.]|\.\S)*?`

var (
	registerOK = regexp.MustCompile(`(?im)^[ \t]*'?client register'?[ \t]+successful\b`)
	assignOK   = regexp.MustCompile(`(?im)^[ \t]*'?client assignPartition'?[ \t]+successful\b`)
	neverOK    = regexp.MustCompile(`[^\s\S]`)

	addressTaken = regexp.MustCompile(`(?i)same (?:ip address|host ?name|address)\b` + within + `already|already` + within + `same (?:ip|host ?name|address)|(?:ip address|host ?name)\b` + within + `already (?:been )?(?:registered|in use)`)
	noCertFile   = regexp.MustCompile(`(?i)problem finding` + within + `certificate|certificate file` + within + `(?:not found|does not exist|missing)|(?:no|not find) ` + within + `certificate file`)
	clientExists = regexp.MustCompile(`(?i)already (?:exists|been registered|registered)|OBJECT_ALREADY_EXISTS|same name`)
	hasAccess    = regexp.MustCompile(`(?i)already has access|already (?:been )?assigned`)
	noPartition  = regexp.MustCompile(`(?i)\bpartition\b` + within + `(?:does not exist|doesn't exist|not found|not exist|unknown|invalid|OBJECT_NOT_IN_LIST)|(?:unknown|no such|invalid|specified|not find|to find) ` + within + `\bpartition\b`)
	noClient     = regexp.MustCompile(`(?i)\bclient\b` + within + `(?:does not exist|doesn't exist|not found|not registered|unknown)|(?:unknown|no such) client\b`)
	notInList    = regexp.MustCompile(`(?i)OBJECT_NOT_IN_LIST`)
	needsLogin   = regexp.MustCompile(`(?i)\blog(?:ged)?[ _-]?(?:in|on)\b|NOT_LOGGED_IN|LOGIN_REQUIRED`)
	notAllowed   = regexp.MustCompile(`(?i)(?:unknown|invalid|unrecogni[sz]ed) (?:command|sub-?command)|command not found|not a valid command|not authori[sz]ed|unauthori[sz]ed|permission|not permitted|privilege|access denied|syntax error`)
)

// positive is the sentence that proves a command.
func positive(v verb) *regexp.Regexp {
	switch v {
	case clientRegister:
		return registerOK
	case clientAssign:
		return assignOK
	case hostipMap:
		return hostipOK
	case clientList, clientShow, clientFingerprint, partitionList, hostipShow:
	}
	return neverOK // reads are proved by their shape
}

// phrases are what a refusal of a command may mean, the more special first.
func phrases(v verb) []phrase {
	switch v {
	case clientRegister:
		return []phrase{{ErrAddressTaken, addressTaken}, {ErrNoCertificateFile, noCertFile}, {ErrClientExists, clientExists}}
	case clientAssign:
		return []phrase{{ErrAlreadyAssigned, hasAccess}, {ErrNoSuchPartition, noPartition}, {ErrNoSuchClient, noClient}}
	case clientShow, clientFingerprint:
		return []phrase{{ErrNoSuchClient, noClient}, {ErrNoSuchClient, notInList}}
	case hostipMap:
		return []phrase{{ErrAlreadyMapped, alreadyMapped}, {ErrNoSuchClient, noClient}, {ErrNoSuchClient, notInList}}
	case clientList, partitionList, hostipShow:
	}
	return nil
}

// classify tells what a reply that is no success means; nil if its words fit
// nothing. names are the values that we sent: the appliance may repeat them,
// and a client called "login" must not look like a demand.
func classify(v verb, r reply, names []string) error {
	text := sentences(r.text)
	for _, p := range phrases(v) {
		if p.re.MatchString(text) {
			return p.kind
		}
	}
	errors := withoutNames(sentences(r.errors()), names)
	switch {
	case needsLogin.MatchString(errors):
		return ErrNeedsLogin
	case notAllowed.MatchString(withoutNames(text, names)):
		return ErrNotAllowed
	case v == clientAssign && notInList.MatchString(errors):
		// Said without more words, it means the partition: the client was
		// registered, or read, before it is given one.
		return ErrNoSuchPartition
	}
	return nil
}

var (
	// failedCommand is the appliance's own naming of a command in an error; the
	// word "partition" in it says nothing about a partition.
	failedCommand = regexp.MustCompile(`'[a-zA-Z ]{1,60}' failed\.?`)
	nameWord      = regexp.MustCompile(`[A-Za-z0-9._:-]+`)
)

// sentences is a reply on one line, without the naming of commands.
func sentences(text string) string {
	return transport.Printable(failedCommand.ReplaceAllString(text, " "))
}

// withoutNames blanks the whole words that are names of ours.
func withoutNames(text string, names []string) string {
	return nameWord.ReplaceAllStringFunc(text, func(w string) string {
		if slices.Contains(names, w) || slices.Contains(names, strings.TrimRight(w, ".:")) {
			return " "
		}
		return w
	})
}
