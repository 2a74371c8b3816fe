package ssh

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

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
	settle  func(answer) // set once the password is about to be sent
	taken   bool         // the password was right, whatever came after
	problem error        // why a method was given up here, not there
}

// finish tells the Password what became of it. An end of the connection instead
// of an answer counts as a refusal: the far side may have counted an attempt.
// It does not if the far side says that it has no session to give.
func (l *login) finish(err error) {
	switch {
	case l.settle == nil:
	case err == nil || l.taken:
		l.settle(accepted)
	case noSession(err):
		l.settle(unanswered)
	default:
		l.settle(refused)
	}
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
	switch {
	case fresh(methodKey) && len(d.signers) > 0:
		return ssh.PublicKeys(d.signers...)
	case d.o.Password == nil || l.settle != nil || d.o.Password.Refused():
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
	secret, settle, err := d.o.Password.offer(ctx)
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
	if len(questions) == 0 {
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
			WithHint("nothing was typed; use an account without further questions, or a key that it accepts (-i)"))
	case d.login.settle != nil: // asked again: the answer before was wrong
		return refuse(d.explainRefused())
	}
	secret, err := d.secret(ctx)
	if err != nil {
		return nil, err
	}
	return []string{secret}, nil
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

func quoteAll(texts []string) string {
	var quoted []string
	for _, t := range texts {
		quoted = append(quoted, `"`+transport.Printable(t)+`"`)
	}
	return strings.Join(quoted, ", ")
}

// identities loads the private keys that are offered.
func identities(name string, o *Options) ([]ssh.Signer, error) {
	var signers []ssh.Signer
	for _, path := range o.Identities {
		s, err := identity(path, o.Legacy)
		if err != nil {
			e := transport.Errorf(transport.ClassConfig, name, "identity file %s: %w", path, err)
			var locked *ssh.PassphraseMissingError
			if errors.As(err, &locked) {
				e = e.WithHint("an encrypted key cannot be used; make a copy without passphrase (ssh-keygen -p), or use a password")
			}
			return nil, e
		}
		signers = append(signers, s)
	}
	if len(o.Identities) > 0 {
		return signers, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return nil, nil // no home, no default keys
	}
	for _, file := range []string{"id_ed25519", "id_ecdsa", "id_rsa"} {
		path := filepath.Join(home, ".ssh", file)
		s, err := identity(path, o.Legacy)
		switch {
		case err == nil:
			signers = append(signers, s)
		case !errors.Is(err, fs.ErrNotExist) && !errors.As(err, new(*ssh.PassphraseMissingError)):
			o.warn(fmt.Sprintf("%s: key %s is not used: %v", name, path, err))
		}
	}
	return signers, nil
}

func identity(path string, legacy bool) (ssh.Signer, error) {
	pem, err := os.ReadFile(path) //nolint:gosec // the path is the user's choice
	if err != nil {
		return nil, err
	}
	s, err := ssh.ParsePrivateKey(pem)
	if err != nil {
		return nil, err
	}
	a, ok := s.(ssh.AlgorithmSigner)
	if !ok || legacy || s.PublicKey().Type() != ssh.KeyAlgoRSA {
		return s, nil
	}
	// Without this, x/crypto signs with SHA-1 for a server that does not say
	// what it knows.
	return ssh.NewSignerWithAlgorithms(a, []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256})
}
