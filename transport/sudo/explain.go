package sudo

import (
	"regexp"
	"strings"

	"ntl-setup/transport"
)

// otherwise is what a person may do in place of sudo.
const otherwise = "log in as root, or as a member of the group that the Luna client's files belong to (hsmusers)"

// reasons are sudo's words for giving no rights, as its sources of 1.8 and 1.9
// have them in the language C, and what they mean. The first that fits counts.
func reasons() []struct {
	says    *regexp.Regexp
	message string
	hint    string
} {
	return []struct {
		says    *regexp.Regexp
		message string
		hint    string
	}{
		{regexp.MustCompile(`must have a tty`), "sudo wants a terminal there (requiretty)",
			"let the administrator add `Defaults:<user> !requiretty` to sudoers, or " + otherwise},
		{regexp.MustCompile(`incorrect password|incorrect authentication|Sorry, try again`), "sudo did not accept the password; it was offered once",
			"--sudo-password-file gives the one that sudo wants on that host (it may be root's: rootpw, targetpw)"},
		{regexp.MustCompile(`not in the sudoers file|may not run sudo|not allowed to (?:run|execute)`), "sudo lets this user do nothing of the kind",
			"let the administrator allow it in sudoers, or " + otherwise},
		{regexp.MustCompile(`(?i)account (?:or password is|has) expired|account validation failure|password expired|is your account locked`),
			"sudo wants this account put in order first", "log in by hand as this user and try sudo there"},
		{regexp.MustCompile(`password is required|no password was provided|terminal is required`), "sudo wants a password, or more than one answer",
			"--sudo-password-file gives the password; what asks for more than that cannot be answered: " + otherwise},
		{regexp.MustCompile(`no new privileges|uid 0|setuid|no valid sudoers`), "sudo cannot work there", otherwise},
		{regexp.MustCompile(`not found|No such file`), "there is no sudo", otherwise},
	}
}

// wantsPassword reports whether sudo would let the user in by a password.
func wantsPassword(out transport.Output) bool {
	return strings.Contains(string(out.Stderr), "password is required")
}

// explain says why sudo did not begin, with the line by which it tells.
func explain(host string, out transport.Output) error {
	text := string(out.Stderr)
	if strings.TrimSpace(text) == "" {
		text = string(out.Stdout)
	}
	for _, r := range reasons() {
		if line := lineOf(text, r.says); line != "" {
			return refusal(host, r.message, line).WithHint("%s", r.hint)
		}
	}
	return refusal(host, "sudo gave no rights", lineOf(text, regexp.MustCompile(`\S`))).WithHint("try sudo there by hand, as the same user; or %s", otherwise)
}

func refusal(host, message, said string) *transport.Error {
	const most = 200
	if said = transport.Printable(said); len(said) > most {
		said = said[:most] + "…"
	}
	if said != "" {
		message += " (" + said + ")"
	}
	e := transport.Errorf(transport.ClassAuth, host, "%s", message)
	e.Err = ErrNoRights
	return e
}

// lineOf is the last line that fits: before it may stand a lecture.
func lineOf(text string, fits *regexp.Regexp) string {
	found := ""
	for line := range strings.Lines(text) {
		if fits.MatchString(line) {
			found = strings.TrimSpace(line)
		}
	}
	return found
}
