package ssh

import (
	"regexp"

	"ntl-setup/transport"
)

// accountExpired tells an account that has expired (chage -E) by PAM's words.
var accountExpired = regexp.MustCompile(`(?i)\baccount\b.*\bexpired`)

// explainCut is for a password that was on its way and not refused: the connection
// ended, or the account was kept out. sshd does that with words before the end
// where the password may well be right: the account has expired, or the machine is
// closed for now.
func (d *dialling) explainCut(err error) error {
	switch {
	case accountExpired.MatchString(d.login.after):
		return d.fail(transport.ClassDialogue, "nobody is let in as %s%s", d.target.User, d.saying()).
			WithHint("whoever administers the machine must open the account again; the password was not refused")
	case d.login.after != "":
		return d.fail(transport.ClassAuth, "nobody is let in as %s%s", d.target.User, d.saying()).
			WithHint("the password was not refused; run the same command again when the machine lets users in")
	}
	return d.fail(transport.ClassConnect, "the connection was cut while the password of %s was on its way: %w", d.target.User, err).
		WithHint("nobody knows whether the password is right; run the same command again, and see the machine's own log if it happens again")
}

// saying is what the machine said last to whoever logs in.
func (d *dialling) saying() string {
	const most = 300
	words := []rune(d.login.said)
	if len(words) == 0 {
		return ""
	}
	return "; the machine says: " + string(words[max(0, len(words)-most):])
}
