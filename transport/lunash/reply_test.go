package lunash

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/fixtures/transcripts"
)

func TestReadReply(t *testing.T) {
	const done = "Command Result : 0 (Success)\n[hsm] lunash:>"
	for _, c := range []struct {
		name, line, in string
		want           reply
	}{
		{"no echo", "client list", "\nbody\n\n" + done, reply{"\nbody\n\n", 0, "Success"}},
		{"echo", "client list", "client list\nbody\n" + done, reply{"body\n", 0, "Success"}},
		{"padded echo", "client list", "client list      \n\nbody\n" + done, reply{"\nbody\n", 0, "Success"}},
		{"another line is no echo", "client show -client web1", "client show -client web10\nbody\n" + done, reply{"client show -client web10\nbody\n", 0, "Success"}},
		{"echo broken in a word", "client show -client web1", "client show -cli\nent we\n b1 \nbody\n" + done, reply{"body\n", 0, "Success"}},
		{"a late prompt before the echo", "client list", "\n[hsm] lunash:>client list\nbody\n" + done, reply{"body\n", 0, "Success"}},
		{"late prompts, no echo", "client list", "\n[hsm] lunash:>\n[hsm] lunash:>\nbody\n" + done, reply{"body\n", 0, "Success"}},
		{"a body that begins like the line", "client list", "client lists are long\n" + done, reply{"client lists are long\n", 0, "Success"}},
		{"failure", "x", "Error:  no\n\nCommand Result : 65535 (Luna Shell execution)\n[hsm] lunash:>", reply{"Error:  no\n\n", 65535, "Luna Shell execution"}},
		{"no trailer", "x", "body\n[hsm] lunash:>", reply{"body\n", noTrailer, ""}},
		{"no trailer, prompt twice", "x", "body\n[hsm] lunash:>\n[hsm] lunash:>", reply{"body\n", noTrailer, ""}},
		{"the last trailer counts", "x", "Command Result : 1 (a)\nbody\n" + done, reply{"Command Result : 1 (a)\nbody\n", 0, "Success"}},
		{"text after the trailer unmakes it", "x", "body\nCommand Result : 0 (Success)\nmore\n[hsm] lunash:>", reply{"body\nCommand Result : 0 (Success)\nmore\n", noTrailer, ""}},
		{"a trailer inside a line is none", "x", "said Command Result : 0 (Success)\n[hsm] lunash:>", reply{"said Command Result : 0 (Success)\n", noTrailer, ""}},
		{"a number too large is none", "x", "body\nCommand Result : 9999999999 (x)\n[hsm] lunash:>", reply{"body\nCommand Result : 9999999999 (x)\n", noTrailer, ""}},
		{"a trailer with more behind it is none", "x", "Command Result : 0 (Success) [CRITICAL]\n[hsm] lunash:>", reply{"Command Result : 0 (Success) [CRITICAL]\n", noTrailer, ""}},
		{"indented, without blanks", "x", "body\n  Command Result: 0 (Success)\n  [hsm] lunash:> ", reply{"body\n", 0, "Success"}},
		{"the prompt on the trailer's line", "x", "body\nCommand Result : 0 (Success)[hsm] lunash:>", reply{"body\n", 0, "Success"}},
		{"prompt twice after the trailer", "x", "body\nCommand Result : 0 (Success)\n\n[hsm] lunash:>\n\nlunash:> ", reply{"body\n", 0, "Success"}},
		{"nothing", "x", "", reply{"", noTrailer, ""}},
	} {
		got := readReply(c.in, c.line)
		if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(reply{})); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

// The three proofs: each one missing unmakes the success.
func TestConfirm(t *testing.T) {
	const good = "\n'client register' successful.\n"
	line := Cmd("client", "register").Flag("-client", "web1").Flag("-ip", "192.0.2.1")
	for _, c := range []struct {
		name  string
		reply reply
		ok    bool
		kind  error
		class string
	}{
		{"all three", reply{good, 0, "Success"}, true, nil, ""},
		{"other case and spacing", reply{"  client  register successful\n", 0, "Success"}, false, ErrUnproven, "protocol"},
		{"without quotes", reply{"  client register successful\n", 0, "Success"}, true, nil, ""},
		{"no trailer", reply{good, noTrailer, ""}, false, ErrUnproven, "protocol"},
		{"no sentence", reply{"\n", 0, "Success"}, false, ErrUnproven, "protocol"},
		{"another command's sentence", reply{"'client delete' successful.", 0, "Success"}, false, ErrUnproven, "protocol"},
		{"the sentence inside a line", reply{"not yet 'client register' successful.", 0, "Success"}, false, ErrUnproven, "protocol"},
		{"an Error line beside it", reply{good + "Error:  'client register' failed. (1 : RC_X)\n", 0, "Success"}, false, nil, "remote"},
		{"result 65535 beside it", reply{good, 65535, "Luna Shell execution"}, false, nil, "remote"},
		{"a known refusal without a trailer", reply{"Error:  client with the same IP address has already been registered", noTrailer, ""}, false, ErrAddressTaken, "remote"},
	} {
		err := c.reply.confirm("hsm", line, clientRegister)
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if c.ok {
			continue
		}
		var re *ReplyError
		if !errors.As(err, &re) || !errors.Is(re.Kind, c.kind) || re.Code != c.reply.code || classOf(err) != c.class {
			t.Errorf("%s: got %+v (class %s), want kind %v, class %s", c.name, re, classOf(err), c.kind, c.class)
		}
	}
}

func TestReplyErrorQuotesTheAppliance(t *testing.T) {
	r := readReply(transcripts.Appliance("show-unknown"), "client show -client web1")
	line := Cmd("client", "show").Flag("-client", "web1")
	got := r.fail("admin@hsm", line, clientShow, nil).Error()
	want := "admin@hsm: 'client show -client web1': Error: 'client show' failed. (C000040A : RC_OBJECT_NOT_IN_LIST) Error: Specified client does not exist."
	if got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestShortenKeepsLettersWhole(t *testing.T) {
	got := shorten(strings.Repeat("ü", textMax))
	if !utf8.ValidString(got) || len(got) > textMax+len("…") || !strings.HasSuffix(got, "ü…") {
		t.Errorf("%q", got)
	}
	if got := shorten("a\x1b[31m\n  b\x07"); got != "a b" {
		t.Errorf("%q", got)
	}
}

// What a refusal means, by its words.
func TestClassify(t *testing.T) {
	const failed = "Error:  'client assignPartition' failed. (C000040A : RC_OBJECT_NOT_IN_LIST)\n"
	for _, c := range []struct {
		verb verb
		text string
		want error
	}{
		{clientRegister, "client with the same IP address has already been registered", ErrAddressTaken},
		{clientRegister, "Error: IP address 192.0.2.1 is already registered.", ErrAddressTaken},
		{clientRegister, "Error: A client with the same hostname web.example\n has already been registered.", ErrAddressTaken},
		{clientRegister, "Error: Client already exists.", ErrClientExists},
		{clientRegister, "Error: a client with that name has already been registered", ErrClientExists},
		{clientRegister, "There was a problem finding this client's certificate file", ErrNoCertificateFile},
		{clientRegister, "Error: could not find the certificate file 192.0.2.1.pem", ErrNoCertificateFile},
		{clientRegister, "Error: The HSM is not logged in.", ErrNeedsLogin},
		{clientRegister, "Error: HSM Admin must be logged in", ErrNeedsLogin},
		{clientRegister, "Error: please login as SO first", ErrNeedsLogin},
		{clientRegister, "Error: 'client register' failed. (101 : LUNA_RET_USER_NOT_LOGGED_IN)", ErrNeedsLogin},
		{clientRegister, "Error: SO log in required", ErrNeedsLogin},
		{clientRegister, "you are logged in as admin", nil}, // not in an Error line
		{clientRegister, "Error: disk full", nil},
		{clientRegister, "Error: logger failed in line 3", nil},
		{clientAssign, "client already has access to this partition", ErrAlreadyAssigned},
		{clientAssign, failed + "Error: Specified partition does not exist.", ErrNoSuchPartition},
		{clientAssign, failed, ErrNoSuchPartition},
		{clientAssign, "Error: Unable to find partition par9.", ErrNoSuchPartition},
		{clientAssign, "Error: no such partition", ErrNoSuchPartition},
		{clientAssign, "Error: The partition 'par.9' was not found", ErrNoSuchPartition},
		{clientAssign, "Error: invalid partition name", ErrNoSuchPartition},
		{clientAssign, failed + "Error: Specified client does not exist.", ErrNoSuchClient},
		{clientAssign, "Error: 'client assignPartition' failed. (1 : RC_GENERAL)", nil},
		{clientAssign, "Error:  Unknown command 'assignPartition'", ErrNotAllowed},
		{clientShow, "Error: 'client show' failed. (C000040A : RC_OBJECT_NOT_IN_LIST)", ErrNoSuchClient},
		{clientFingerprint, "The client you specified does not exist.", ErrNoSuchClient},
		{clientShow, "Command not found", ErrNotAllowed},
		{clientShow, "Error: you are not authorized to execute this", ErrNotAllowed},
		{clientList, "Syntax Error: list", ErrNotAllowed},
		{clientList, "permission denied", ErrNotAllowed},
		{clientList, "Insufficient privileges", ErrNotAllowed},
		{partitionList, "Invalid command: partition", ErrNotAllowed},
		{partitionList, "", nil},
	} {
		if got := classify(c.verb, reply{text: c.text, code: 65535}, nil); !errors.Is(got, c.want) || (got == nil) != (c.want == nil) {
			t.Errorf("%q: got %v, want %v", c.text, got, c.want)
		}
	}
}

// A name that we sent, and that the appliance repeats, is no part of its words.
func TestClassifyIsNotFooledByNames(t *testing.T) {
	for _, name := range []string{"login", "log-in", "permission", "privilege", "NOT_LOGGED_IN"} {
		text := "Error: 'client register' failed for " + name + ". (5 : RC_X)"
		if got := classify(clientRegister, reply{text: text, code: 65535}, []string{name}); got != nil {
			t.Errorf("client %s: %v", name, got)
		}
	}
	// And a short name does not take letters out of them.
	text := "Error: not authorized"
	if got := classify(clientRegister, reply{text: text, code: 1}, []string{"a", "not.", "or"}); !errors.Is(got, ErrNotAllowed) {
		t.Errorf("got %v", got)
	}
}

func FuzzReadReply(f *testing.F) {
	for _, name := range transcripts.Names("appliance") {
		f.Add(transcripts.Appliance(name), "client list")
	}
	f.Fuzz(func(t *testing.T, raw, line string) {
		r := readReply(raw, line)
		if r.code < noTrailer || len(r.text) > len(raw) || !strings.Contains(raw, r.text) {
			t.Errorf("%+v out of %q", r, raw)
		}
		if r.code != noTrailer && !strings.Contains(raw, r.word) {
			t.Errorf("word %q out of nowhere", r.word)
		}
		if err := r.confirm("hsm", Cmd("client", "register"), clientRegister); err == nil {
			if r.code != 0 || errorLine.MatchString(r.text) || !strings.Contains(strings.ToLower(r.text), "successful") {
				t.Errorf("confirmed: %+v", r)
			}
		}
		judgeReply(raw, line)
		judgeLogin(raw)
		asksSecret(raw)
	})
}
