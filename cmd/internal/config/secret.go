package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// Secret is a password. It shows itself to [Secret.Reveal] alone.
type Secret struct{ text string }

// Reveal is the password.
func (s *Secret) Reveal() string { return s.text }

// Format prints a placeholder for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "(secret)") }

// MarshalText is a placeholder too.
func (s Secret) MarshalText() ([]byte, error) { return []byte("(secret)"), nil }

// The environment variables that passwords and the passphrase are taken from.
const (
	EnvClientPassword = "NTL_SETUP_CLIENT_PASSWORD" //nolint:gosec // a name, no password
	EnvHSMPassword    = "NTL_SETUP_HSM_PASSWORD"    //nolint:gosec // a name, no password

	EnvIdentityPassphrase = "NTL_SETUP_IDENTITY_PASSPHRASE" //nolint:gosec // a name, no passphrase
)

// maxSecret is the longest password, in bytes.
const maxSecret = 1024

// secretCommand is the command line that prints a password; nil: none is given.
// A file beside it would be a second answer to the same question.
func secretCommand(flag, line, fileFlag, file string) (*Secret, error) {
	switch {
	case line == "":
		return nil, nil
	case strings.TrimSpace(line) == "":
		return nil, wrong("%s is empty", flag)
	case file != "":
		return nil, wrong("%s and %s are both given, and only one can be right", flag, fileFlag)
	}
	return &Secret{line}, nil
}

// FirstLine is the password in what a command printed: the first line, without
// its end. The error does not show it.
func FirstLine(printed string) (string, error) {
	line, _, _ := strings.Cut(printed, "\n")
	line = strings.TrimSuffix(line, "\r")
	switch {
	case line == "":
		return "", errors.New("it printed no password on its first line")
	case len(line) > maxSecret:
		return "", fmt.Errorf("its first line is too long for a password (more than %d bytes)", maxSecret)
	case strings.ContainsRune(line, 0):
		return "", errors.New("its first line holds a NUL byte")
	}
	return line, nil
}

// secret takes a password from the file, else from the environment; nil if there
// is neither, so that it is asked for when a host wants it. The warning is about
// a file that others can read.
func (e Env) secret(flag, file, variable string) (s *Secret, warning string, err error) {
	if file == "" {
		if text := e.Getenv(variable); text != "" {
			return &Secret{text}, "", nil
		}
		return nil, "", nil
	}
	f, err := os.Open(file) //nolint:gosec // the user names the file
	if err != nil {
		return nil, "", wrong("%s: %w", flag, err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 && !e.NoModes {
		warning = fmt.Sprintf("%s: others can read %s (mode %04o); chmod 600 it", flag, file, info.Mode().Perm())
	}
	data, err := io.ReadAll(io.LimitReader(f, maxSecret+3))
	if err != nil {
		return nil, "", wrong("%s: %w", flag, err)
	}
	text := strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	switch {
	case text == "":
		return nil, "", wrong("%s: %s is empty", flag, file)
	case len(text) > maxSecret:
		return nil, "", wrong("%s: %s is too long for a password", flag, file)
	case strings.ContainsAny(text, "\n\r\x00"):
		return nil, "", wrong("%s: %s holds more than one line", flag, file).
			WithHint("the file holds the password and nothing else")
	}
	return &Secret{text}, warning, nil
}
