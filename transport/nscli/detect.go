package nscli

import (
	"context"
	"crypto/rand"
	"strings"

	"ntl-setup/transport"
	"ntl-setup/transport/posix"
)

// shellLine makes the CLI start a POSIX shell.
const shellLine = "shell sh"

// shell is how posix is to work through the CLI, which may say that it is done
// when what it started answers already.
func shell() posix.Options {
	return posix.Options{Shell: shellLine, Adds: func(line string) bool {
		line = strings.TrimSpace(line)
		return line == "" || line == "Done"
	}}
}

// Detect tells whether the NetScaler CLI is at the other end, and gives the Host
// that works through it; (nil, nil) if it is something else. answer is what came
// back for the word sh, of which the CLI's own reply is not known. An error of
// class remote is a CLI that does not let this user use its command shell.
func Detect(ctx context.Context, conn transport.Conn, answer transport.Output) (transport.Host, error) {
	mark := rand.Text()
	piped, err := conn.Exec(ctx, shellLine, []byte("echo "+mark+"\n"))
	if err != nil {
		return nil, err
	}
	if hasLine(piped, mark) {
		return posix.New(conn, shell()), nil
	}
	plain, err := conn.Exec(ctx, "shell echo "+mark, nil)
	if err != nil {
		return nil, err
	}
	switch {
	case hasLine(plain, mark):
		return posix.New(carry(conn, place), shell()), nil
	case isCLI(plain) || isCLI(piped) || isCLI(answer):
		return nil, transport.Errorf(transport.ClassRemote, conn.Name(),
			"the NetScaler CLI lets this user start no command shell: %s", transport.Printable(string(plain.Stdout)+" "+string(plain.Stderr))).
			WithHint("log in as nsroot or root, or have the command policy of this user allow `shell`")
	}
	return nil, nil
}

// hasLine: one of the lines is that text and nothing else. Within other words it
// proves nothing: those of a refusal may repeat the command.
func hasLine(out transport.Output, text string) bool {
	for line := range strings.Lines(string(out.Stdout)) {
		if strings.TrimSpace(line) == text {
			return true
		}
	}
	return false
}

// isCLI: that is how the CLI answers, by a line "Done" or one that begins with
// "ERROR: ".
func isCLI(out transport.Output) bool {
	for line := range strings.Lines(string(out.Stdout) + "\n" + string(out.Stderr)) {
		line = strings.TrimSpace(line)
		if line == "Done" || strings.HasPrefix(line, "ERROR: ") {
			return true
		}
	}
	return false
}
