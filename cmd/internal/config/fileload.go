package config

import (
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"ntl-setup/cmd/internal/config/sshconfig"
)

// alone refuses, beside a file, what only one link can have.
func (f Flags) alone() error {
	if f.File == "" {
		if len(f.Only)+len(f.Skip) > 0 {
			return wrong("--only and --skip select links of a file, and -f names none")
		}
		return nil
	}
	var extra []string
	for flag, given := range map[string]bool{
		"--client": f.Client != "", "--hsm": f.HSM != "", "--name": f.Name != "", "--partition": len(f.Partitions) > 0,
		"--client-address": f.ClientAddress != "", "--hsm-address": f.HSMAddress != "", "--map-host-ip": f.MapHostIP != "",
		"--client-host-key": f.ClientHostKey != "", "--hsm-host-key": f.HSMHostKey != "", "--hsm-certificate": f.HSMCertificate != "",
	} {
		if given {
			extra = append(extra, flag)
		}
	}
	if len(extra) == 0 {
		return nil
	}
	slices.Sort(extra)
	return wrong("%s and -f exclude each other: the file has its own", strings.Join(extra, ", ")).
		WithHint("--only selects links of the file")
}

// addFile makes the links that a file wants, those that were selected.
func (c *Config) addFile(f Flags, env Env) error {
	var p *parsed
	var err error
	if f.FileText != nil {
		p = parseFile(f.File, f.FileText)
	} else if p, err = readFile(f.File); err != nil {
		return err
	}
	if len(p.mistakes) > 0 {
		return p.mistakes
	}
	failed, err := unsuccessful(f.RetryFailed)
	if err != nil {
		return err
	}
	for _, pattern := range append(append([]string{}, f.Only...), f.Skip...) {
		if _, err := path.Match(pattern, ""); err != nil {
			return wrong("the pattern %q cannot be understood", pattern).WithHint("* ? and [a-z] stand for other characters; a link is called client/hsm")
		}
	}
	passphrase, warning, err := env.secret("--identity-passphrase-file", f.IdentityPassphrase, EnvIdentityPassphrase)
	if err != nil {
		return err
	}
	c.Passphrase = passphrase
	c.warn(warning)
	for _, one := range p.pairs() {
		if !one.matches(f.Only, true) || one.matches(f.Skip, false) {
			continue
		}
		if err := c.addPair(p, one, f, env); err != nil {
			p.judge(one.path, err)
		}
	}
	if failed != nil {
		c.Links = slices.DeleteFunc(c.Links, func(l Link) bool { return !failed[reportKey(l.Client.Name(), l.HSM.Name(), l.Name)] })
	}
	switch {
	case len(p.mistakes) > 0:
		return p.mistakes
	case len(c.Links) == 0 && failed != nil:
		return wrong("%s calls no link of %s unsuccessful", f.RetryFailed, f.File).WithHint("--retry-failed takes the report (-o json) of a run over the same file")
	case len(c.Links) == 0:
		return wrong("--only and --skip leave no link of %s", f.File).WithHint("a link is called client/hsm: %s", someIDs(p.pairs()))
	}
	return nil
}

// someIDs are the first links, as examples.
func someIDs(all []pair) string {
	var ids []string
	for _, one := range all[:min(len(all), 3)] {
		ids = append(ids, one.id())
	}
	return strings.Join(ids, ", ")
}

// matches reports whether one of the patterns is about the link: about its
// client, its HSM, its name there, or client/hsm as a whole. none is the answer
// where there are no patterns.
func (p pair) matches(patterns []string, none bool) bool {
	if len(patterns) == 0 {
		return none
	}
	for _, pattern := range patterns {
		for _, text := range []string{p.id(), p.client, p.hsm, p.name} {
			if ok, _ := path.Match(pattern, text); ok { // patterns were checked
				return true
			}
		}
	}
	return false
}

// addPair makes one link.
func (c *Config) addPair(p *parsed, one pair, f Flags, env Env) error {
	f, reach := p.flags(f, one)
	before := len(c.Links)
	err := c.addLinkBy(f, env, func(l *Link) (err error) {
		if f.Client == Local {
			l.Client = End{Local: true}
		} else if l.Client, err = c.fileEnd(p, "clients."+one.client, f.Client, reach[0], f, env); err != nil {
			return err
		}
		l.HSM, err = c.fileEnd(p, "hsms."+one.hsm, f.HSM, reach[1], f, env)
		return err
	})
	if len(c.Links) > before {
		c.Links[before].ID = one.id()
	}
	return err
}

// fileEnd is how one host of the file is reached. What the file does not say
// about passwords and keys, the command line may.
func (c *Config) fileEnd(p *parsed, at, typed string, r FileReach, f Flags, env Env) (End, error) {
	e := typedEnd{
		flag: at, typed: typed, pin: r.HostKey, pinFlag: "host_key of " + at,
		fileFlag: "password_file of " + at, file: env.home(p.beside(r.PasswordFile)), variable: r.PasswordEnv,
		commandFlag: "password_command of " + at, command: r.PasswordCommand,
	}
	if r.PasswordFile+r.PasswordEnv+r.PasswordCommand == "" {
		if strings.HasPrefix(at, "clients.") {
			e.file, e.variable, e.command = f.ClientPasswordFile, EnvClientPassword, f.ClientPasswordCommand
		} else {
			e.file, e.variable, e.command = f.HSMPasswordFile, EnvHSMPassword, f.HSMPasswordCommand
		}
	}
	if r.PasswordEnv != "" && !p.alone && env.Getenv(r.PasswordEnv) == "" {
		return End{}, wrong("%s: the environment variable %s is not set", at, r.PasswordEnv)
	}
	if len(r.IdentityFile) > 0 {
		f.Identities = nil
		for _, file := range r.IdentityFile {
			f.Identities = append(f.Identities, env.home(p.beside(file)))
		}
	}
	if r.LegacySSH != nil {
		f.LegacySSH = *r.LegacySSH || f.LegacySSH
	}
	end, err := c.end(e, f, env)
	if err != nil || r.JumpHost == "" {
		return end, err
	}
	end.Jump = nil
	if r.JumpHost == noJump {
		return end, nil
	}
	place := p.places.At(at + ".jump_host")
	end.Jump, err = c.jumps(end, sshconfig.Settings{
		Jumps:  strings.Split(r.JumpHost, ","),
		Places: map[string]string{"ProxyJump": p.name + ":" + strconv.Itoa(place.Line)},
	}, f, env, nil)
	return end, err
}

// home is a path with ~ in its front as the user's home directory.
func (e Env) home(path string) string {
	if rest, found := strings.CutPrefix(path, "~/"); found && e.Home != "" {
		return filepath.Join(e.Home, rest)
	}
	return path
}

// Validate finds every mistake in a file, without any host. The error is about
// the file itself, or is Mistakes.
func Validate(name string, env Env) (links int, err error) {
	p, err := readFile(name)
	if err != nil {
		return 0, err
	}
	p.alone = true
	if len(p.mistakes) == 0 {
		var c Config
		for _, one := range p.pairs() {
			if err := c.addPair(p, one, Flags{}, env); err != nil {
				p.judge(one.path, err)
			}
		}
	}
	if len(p.mistakes) > 0 {
		return 0, p.mistakes
	}
	return len(p.pairs()), nil
}
