package config

import (
	"path"
	"strings"
)

// EnvSudoPassword is the environment variable that sudo's password on the client
// host is taken from.
const EnvSudoPassword = "NTL_SETUP_SUDO_PASSWORD" //nolint:gosec // a name, no password

// SudoPasswordCommand is the flag that names the command which prints sudo's
// password.
const SudoPasswordCommand = "--sudo-password-command" //nolint:gosec // a name, no password

// RightsFlags say, as typed, with what rights and by which configuration the
// client host is worked on.
type RightsFlags struct {
	Sudo                bool
	SudoPasswordFile    string
	SudoPasswordCommand string
	ConfigPath          string
}

// Rights are the same, checked.
type Rights struct {
	Sudo       bool    // also where the user's own rights seem to be enough
	Password   *Secret // nil: from Command, the password of the login, or asked for
	Command    *Secret // a command line that prints the password; nil: none
	ConfigPath string  // ChrystokiConfigurationPath; "": what the session has
}

// addRights checks them. What is given for sudo is used when it is needed.
func (c *Config) addRights(l *Link, f RightsFlags, env Env) (err error) {
	const fileFlag = "--sudo-password-file"
	r := Rights{Sudo: f.Sudo, ConfigPath: f.ConfigPath}
	if r.Command, err = secretCommand(SudoPasswordCommand, f.SudoPasswordCommand, fileFlag, f.SudoPasswordFile); err != nil {
		return err
	}
	if r.Command == nil {
		var warning string
		if r.Password, warning, err = env.secret(fileFlag, f.SudoPasswordFile, EnvSudoPassword); err != nil {
			return err
		}
		if warning != "" {
			c.Warnings = append(c.Warnings, warning)
		}
	}
	if r.ConfigPath != "" {
		if err := checkConfigPath(r.ConfigPath); err != nil {
			return err
		}
	}
	l.Rights = r
	return nil
}

// checkConfigPath wants a directory that no login shell could take for more than
// a word.
func checkConfigPath(dir string) error {
	const flag = "--client-config-path"
	const plain = "/._-+" + "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	switch {
	case !strings.HasPrefix(dir, "/"):
		return wrong("%s %q is not a whole path", flag, dir)
	case strings.ContainsFunc(dir, func(r rune) bool { return !strings.ContainsRune(plain, r) }):
		return wrong("%s %q has a character that a shell may take amiss", flag, dir).WithHint("letters, digits and . _ - + / are allowed")
	case path.Base(dir) == "Chrystoki.conf":
		return wrong("%s %q names the file", flag, dir).WithHint("it is the directory that Chrystoki.conf lies in, as in the variable ChrystokiConfigurationPath")
	}
	return nil
}
