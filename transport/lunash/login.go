package lunash

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"ntl-setup/transport"
)

const (
	changeHint  = "log in once by hand with ssh, set the new password, and run again with it"
	crowdedHint = "close other sessions of the appliance (10 at most), or try again later"
)

// loginQuestion is the error of a login that waits for something else than a
// command. Nothing was typed.
func loginQuestion(host, text string) *transport.Error {
	said := shorten(lastLines(text, 4))
	switch {
	case newPassword.MatchString(text):
		return transport.Errorf(transport.ClassDialogue, host, "the appliance wants a new password before anything else").WithHint(changeHint)
	case asksSecret(text):
		return transport.Errorf(transport.ClassDialogue, host, "the appliance asks for a secret at login: %s", said).
			WithHint("log in by hand with ssh to see what it wants")
	case otherShell.MatchString(tailOf(text)) && !endProceed.MatchString(tailOf(text)): // a question may end with ">" too
		return transport.Errorf(transport.ClassProtocol, host, "this does not look like a Luna appliance; its prompt is: %s", said).
			WithHint("is --hsm the address of the HSM, and --client that of the client?")
	}
	return transport.Errorf(transport.ClassDialogue, host, "the appliance asks something at login: %s", said).
		WithHint("log in by hand with ssh and answer it there")
}

// loginFault is the error of a login that came to no prompt.
func (s *shell) loginFault(ctx context.Context, text string, err error) *transport.Error {
	f := s.fault(ctx, "wait for the appliance's prompt", text, err)
	switch {
	case newPassword.MatchString(text):
		f.Class, f.Hint = transport.ClassDialogue, changeHint
		f.Message = "the appliance wants a new password before anything else: " + shorten(demandIn(text)) + " (" + f.Err.Error() + ")"
	case f.Class == transport.ClassConnect && crowded.MatchString(text):
		f.Err, f.Hint = errors.Join(transport.ErrNoSession, f.Err), crowdedHint
	case f.Class == transport.ClassConnect:
		if strings.TrimSpace(text) == "" {
			f.Err = errors.Join(transport.ErrTurnedAway, f.Err)
		}
		f.Hint = "the user's SSH address list (sysconf ssh client) may not have this machine, or too many sessions are open (10 at most)"
	case f.Class == transport.ClassTimeout && strings.TrimSpace(text) != "":
		f.Hint = "log in by hand with ssh to see what it waits for"
	}
	return f
}

// unopened is the error of a terminal that could not be had. A connection that
// ended at that may be one more than the appliance allows.
func unopened(err error) error {
	var known *transport.Error
	if !errors.As(err, &known) || known.Class != transport.ClassConnect || errors.Is(err, transport.ErrNoSession) {
		return err
	}
	away := *known
	away.Err = errors.Join(transport.ErrTurnedAway, known.Err)
	return &away
}

// demandIn is a text from the line on that wants a new password.
func demandIn(text string) string {
	if at := newPassword.FindStringIndex(text); at != nil {
		return text[strings.LastIndex(text[:at[0]], "\n")+1:]
	}
	return text
}

// lastLines are the last n lines that are not blank.
func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(tailOf(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// softwareVersion finds the release in a login banner: "7.8.5-20"; empty when
// there is none. It is a hint for the order of attempts, never a decision.
func softwareVersion(banner string) string {
	if m := bannerVersion.FindStringSubmatch(banner); m != nil {
		return m[1]
	}
	return ""
}

// sftpSince: from release 7.9 on, files go by SFTP unless told otherwise.
func sftpSince(version string) bool {
	major, rest, _ := strings.Cut(version, ".")
	minor, _, _ := strings.Cut(rest, ".")
	minor, _, _ = strings.Cut(minor, "-")
	a, errA := strconv.Atoi(major)
	b, errB := strconv.Atoi(minor)
	return errA == nil && errB == nil && (a > 7 || a == 7 && b >= 9)
}
