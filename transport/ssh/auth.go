package ssh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/crypto/ssh"

	"ntl-setup/transport"
)

// The authentication methods of RFC 4252 and RFC 4256 that are used.
const (
	methodKey         = "publickey"
	methodPassword    = "password"
	methodInteractive = "keyboard-interactive"
)

// How login questions are told apart. PAM's own words, and those that appliances
// were seen to use.
var (
	passwordQuestion = regexp.MustCompile(`(?i)\bpass ?(word|wd)\b`)
	otherPassword    = regexp.MustCompile(`(?i)\b(new|retype|re-enter|current|old|confirm)\b.*password`)
	changeDemand     = regexp.MustCompile(`(?i)has expired|password expired|must (be )?change|required to change|change your password`)
)

// login is what happened at the login of one attempt.
type login struct {
	offers  []string // what the server would take, as it said last
	tried   []string
	keys    int          // how many were offered
	last    offer        // the one that was offered last
	settle  func(answer) // set once the password is about to be sent
	taken   bool         // the password was right, whatever came after
	problem error        // why a method was given up here, not there
	said    string       // the machine's words to whoever logs in, the last of them
	after   string       // the same, once the password was on its way
	crowded string       // the last words, before any question, were that no session is free
}

// hear takes what the machine says to whoever logs in.
func (l *login) hear(words string) {
	if words = transport.Printable(words); words == "" {
		return
	}
	l.said = words
	if l.settle != nil {
		l.after = words
	}
}

// finish tells the Password what became of it. An end of the login without an
// answer counts as a refusal: the far side may have counted an attempt. It does
// not if the far side says that it has no session to give, or gives its reasons
// not to let the account in; nor, the first time, if the connection was cut: a
// server that refuses says so, and be it with its last word.
func (l *login) finish(err error) {
	switch {
	case l.settle == nil:
	case err == nil || l.taken:
		l.settle(accepted)
	case noSession(err), l.keptOut(err):
		l.settle(unanswered)
	case wasCut(err):
		l.settle(cutOff)
	default:
		l.settle(refused)
	}
}

// keptOut reports whether the machine gave its reasons not to let the account in
// once it had the password: before it ended the connection, as sshd does, or about
// an account that has expired.
func (l *login) keptOut(err error) bool {
	return l.after != "" && wasCut(err) || accountExpired.MatchString(l.after)
}

// wasCut tells the end of the network connection from an SSH message that ends it.
func wasCut(err error) bool {
	for _, end := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, end) {
			return true
		}
	}
	return false
}

// method picks what to try next; nil ends the login. Keys come first, since
// they need nobody; then `password`; keyboard-interactive only on a server
// without `password`, or one wrong password would count twice over there.
func (d *dialling) method(ctx context.Context, a *ssh.ClientAuthContext) ssh.AuthMethod {
	l := &d.login
	l.offers, l.tried = a.AllowedMethods, a.TriedMethods
	if l.settle != nil && slices.ContainsFunc(a.PartialSuccessMethods, isPasswordMethod) {
		l.taken = true
	}
	if l.problem != nil {
		return nil
	}
	fresh := func(m string) bool {
		return slices.Contains(a.AllowedMethods, m) &&
			!slices.Contains(a.TriedMethods, m) && !slices.Contains(a.PartialSuccessMethods, m)
	}
	if key := d.nextKey(ctx, a); key != nil {
		return key
	}
	switch {
	case l.taken && fresh(methodInteractive):
		return ssh.KeyboardInteractive(d.furtherStep)
	case d.login.problem != nil, d.o.Password == nil || l.settle != nil || d.o.Password.Refused():
		return nil
	case fresh(methodPassword):
		return ssh.PasswordCallback(func() (string, error) { return d.secret(ctx) })
	case fresh(methodInteractive) && !slices.Contains(a.AllowedMethods, methodPassword):
		return ssh.KeyboardInteractive(func(name, instruction string, questions []string, echoes []bool) ([]string, error) {
			return d.challenge(ctx, name+" "+instruction, questions, echoes)
		})
	}
	return nil
}

func isPasswordMethod(m string) bool { return m == methodPassword || m == methodInteractive }

// secret gets the password for sending. A person may take any time to type it.
func (d *dialling) secret(ctx context.Context) (string, error) {
	d.watch.pause()
	secret, settle, err := d.o.Password.offer(ctx, d.target.name())
	d.watch.restart()
	if err != nil {
		d.login.problem = err
		return "", err
	}
	if d.wire.ended.Load() {
		settle(unanswered)
		d.login.problem = errTooLate
		return "", errTooLate
	}
	d.login.settle = settle
	return secret, nil
}

// challenge answers one round of keyboard-interactive.
func (d *dialling) challenge(ctx context.Context, said string, questions []string, echoes []bool) ([]string, error) {
	d.login.crowded = ""
	if len(questions) == 0 {
		d.login.hear(said)
		if d.login.settle == nil && crowded.MatchString(said) {
			d.login.crowded = transport.Printable(said)
		}
		return nil, nil // an announcement
	}
	refuse := func(e *transport.Error) ([]string, error) {
		d.login.problem = e
		return nil, e
	}
	asked := quoteAll(questions)
	switch {
	case passwordChange(said, questions):
		return refuse(d.changeWanted(transport.Printable(said + " " + strings.Join(questions, " "))))
	case len(questions) > 1 || echoes[0] || !asksPassword(questions[0]):
		return refuse(transport.Errorf(transport.ClassDialogue, d.target.name(),
			"the login asks what is not just a password: %s", asked).
			WithHint("nothing was typed; use an account without further questions, or a key that it accepts (%s)", d.o.keyHint()))
	case d.login.settle != nil: // asked again: the answer before was wrong
		return refuse(d.explainRefused())
	}
	secret, err := d.secret(ctx)
	if err != nil {
		return nil, err
	}
	return []string{secret}, nil
}

// furtherStep is keyboard-interactive after the password was accepted: what is
// announced is taken, and nothing that is asked is answered.
func (d *dialling) furtherStep(name, instruction string, questions []string, _ []bool) ([]string, error) {
	d.login.hear(name + " " + instruction)
	if len(questions) == 0 {
		return nil, nil
	}
	e := d.stepWanted(methodInteractive)
	e.Message += ", which asks " + quoteAll(questions)
	d.login.problem = e
	return nil, e
}

// stepWanted is the error of a password that was right and not enough.
func (d *dialling) stepWanted(methods ...string) *transport.Error {
	return d.fail(transport.ClassDialogue, "the password of %s was accepted, and the machine wants a further step: %s",
		d.target.User, transport.Printable(strings.Join(methods, ", "))).
		WithHint("nothing more was typed; use an account whose password, or whose key and password (%s), are enough", d.o.keyHint())
}

func (d *dialling) changeWanted(words string) *transport.Error {
	return transport.Errorf(transport.ClassDialogue, d.target.name(), "the login wants a new password: %s", words).
		WithHint("log in by hand once, as %s, and change the password; ntl-setup never sets one", d.target.User)
}

func asksPassword(question string) bool {
	return passwordQuestion.MatchString(transport.Printable(question))
}

// passwordChange tells a demand from a warning that the password expires soon.
func passwordChange(said string, questions []string) bool {
	asked := transport.Printable(strings.Join(questions, " "))
	return otherPassword.MatchString(asked) || changeDemand.MatchString(transport.Printable(said)+" "+asked)
}

// quoteAll is the first few of what a machine asks; it may ask for hundreds.
func quoteAll(texts []string) string {
	const most, longest = 3, 120
	var quoted []string
	for i, t := range texts {
		if i == most && len(texts) > most+1 {
			return fmt.Sprintf("%s and %d more", strings.Join(quoted, ", "), len(texts)-most)
		}
		words := []rune(transport.Printable(t))
		if len(words) > longest {
			words = append(words[:longest:longest], '…')
		}
		quoted = append(quoted, `"`+string(words)+`"`)
	}
	return strings.Join(quoted, ", ")
}
