package config

import (
	"os"
	"path/filepath"
	"slices"

	"ntl-setup/cmd/internal/config/sshconfig"
	"ntl-setup/orchestrator"
)

// typedEnd is one of the two hosts as it was typed.
type typedEnd struct {
	flag, typed, pin, pinFlag string
	fileFlag, file, variable  string
	commandFlag, command      string
}

// addEnds fills in how both hosts are reached.
func (c *Config) addEnds(l *Link, f Flags, env Env) error {
	for _, id := range f.Identities {
		if _, err := os.Stat(id); err != nil {
			return wrong("-i, --identity-file: %w", err)
		}
	}
	passphrase, warning, err := env.secret("--identity-passphrase-file", f.IdentityPassphrase, EnvIdentityPassphrase)
	if err != nil {
		return err
	}
	c.Passphrase = passphrase
	c.warn(warning)
	ends := []typedEnd{
		{"--client", f.Client, f.ClientHostKey, "--client-host-key",
			"--client-password-file", f.ClientPasswordFile, EnvClientPassword, "--client-password-command", f.ClientPasswordCommand},
		{"--hsm", f.HSM, f.HSMHostKey, "--hsm-host-key",
			"--hsm-password-file", f.HSMPasswordFile, EnvHSMPassword, "--hsm-password-command", f.HSMPasswordCommand},
	}
	for i, end := range []*End{&l.Client, &l.HSM} {
		if i == 0 && ends[i].typed == Local {
			*end = End{Local: true}
			continue
		}
		if *end, err = c.end(ends[i], f, env); err != nil {
			return err
		}
	}
	return nil
}

// warn keeps a remark, once.
func (c *Config) warn(text string) {
	if text != "" && !slices.Contains(c.Warnings, text) {
		c.Warnings = append(c.Warnings, text)
	}
}

// end is how one host is reached. What was typed goes before ~/.ssh/config.
func (c *Config) end(e typedEnd, f Flags, env Env) (End, error) {
	if err := checkPin(e.pinFlag, e.pin); err != nil {
		return End{}, err
	}
	password, command, err := c.password(e, env)
	if err != nil {
		return End{}, err
	}
	return c.endBy(e, password, command, f, env)
}

// password is that of one host, or the command that prints it; nil: neither.
func (c *Config) password(e typedEnd, env Env) (password, command *Secret, err error) {
	if command, err = secretCommand(e.commandFlag, e.command, e.fileFlag, e.file); err != nil || command != nil {
		return nil, command, err
	}
	password, warning, err := env.secret(e.fileFlag, e.file, e.variable)
	c.warn(warning)
	return password, nil, err
}

// endBy is end with the password that was found.
func (c *Config) endBy(e typedEnd, password, command *Secret, f Flags, env Env) (End, error) {
	end, err := c.reach(e.typed, f, env, nil)
	if err != nil {
		return End{}, wrong("%s: %w", e.flag, err).WithHint("%s", orchestrator.Fail(err).Hint)
	}
	end.Password, end.Command, end.HostKeyPin, end.PinFlag = password, command, e.pin, e.pinFlag
	end.Keys.Files = f.Identities
	end.Keys.Quiet = password != nil || command != nil
	if command != nil {
		end.CommandFlag = e.commandFlag
	}
	return end, nil
}

// knownHosts is where host keys are known: in the file that was given, else
// where ~/.ssh/config says, else in the usual file.
func knownHosts(f Flags, env Env, s sshconfig.Settings) []string {
	switch {
	case f.KnownHosts != "":
		return []string{f.KnownHosts}
	case s.NoKnownHosts:
		return nil
	case len(s.KnownHosts) > 0:
		return s.KnownHosts
	case env.Home == "":
		return nil
	}
	return []string{filepath.Join(env.Home, ".ssh", "known_hosts")}
}
