package config

import (
	"os"
	"path/filepath"

	"ntl-setup/orchestrator"
	"ntl-setup/transport/ssh"
)

// addEnds fills in how both hosts are reached.
func (c *Config) addEnds(l *Link, f Flags, env Env) error {
	for _, id := range f.Identities {
		if _, err := os.Stat(id); err != nil {
			return wrong("-i, --identity-file: %w", err)
		}
	}
	known := f.KnownHosts
	if known == "" && env.Home != "" {
		known = filepath.Join(env.Home, ".ssh", "known_hosts")
	}
	ends := []struct {
		end                       *End
		flag, typed, pin, pinFlag string
		fileFlag, file, variable  string
		commandFlag, command      string
	}{
		{&l.Client, "--client", f.Client, f.ClientHostKey, "--client-host-key",
			"--client-password-file", f.ClientPasswordFile, EnvClientPassword, "--client-password-command", f.ClientPasswordCommand},
		{&l.HSM, "--hsm", f.HSM, f.HSMHostKey, "--hsm-host-key",
			"--hsm-password-file", f.HSMPasswordFile, EnvHSMPassword, "--hsm-password-command", f.HSMPasswordCommand},
	}
	for i, e := range ends {
		if i == 0 && e.typed == Local {
			*e.end = End{Local: true}
			continue
		}
		target, err := ssh.ParseTarget(e.typed, env.User)
		if err != nil {
			return wrong("%s: %w", e.flag, err).WithHint("%s", orchestrator.Fail(err).Hint)
		}
		if err := checkPin(e.pinFlag, e.pin); err != nil {
			return err
		}
		command, err := secretCommand(e.commandFlag, e.command, e.fileFlag, e.file)
		if err != nil {
			return err
		}
		var password *Secret
		if command == nil {
			var warning string
			if password, warning, err = env.secret(e.fileFlag, e.file, e.variable); err != nil {
				return err
			}
			if warning != "" {
				c.Warnings = append(c.Warnings, warning)
			}
		}
		*e.end = End{
			Target: target, Password: password, Command: command, HostKeyPin: e.pin, PinFlag: e.pinFlag,
			Identities: f.Identities, KnownHosts: known, AcceptNew: f.AcceptNewHostKeys, Legacy: f.LegacySSH,
		}
		if command != nil {
			e.end.CommandFlag = e.commandFlag
		}
	}
	return nil
}
