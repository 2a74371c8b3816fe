package config

import (
	"errors"
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
		p = parseFile(f.File, f.FileText, env)
	} else if p, err = readFile(f.File, env); err != nil {
		return err
	}
	if len(p.mistakes) > 0 {
		return p.mistakes
	}
	c.FileText = p.text
	report, err := readReport(f.RetryFailed)
	if err != nil {
		return err
	}
	if err := p.checkPatterns(f); err != nil {
		return err
	}
	c.SecretVariables = p.variables()
	passphrase, warning, err := env.secret("--identity-passphrase-file", f.IdentityPassphrase, EnvIdentityPassphrase)
	if err != nil {
		return err
	}
	c.Passphrase = passphrase
	c.warn(warning)
	chosen, there := setOf(f.Links), map[string]bool{}
	for _, one := range p.pairs() {
		there[one.id()] = true
		if !one.matches(f.Only, true) || one.matches(f.Skip, false) || chosen != nil && !chosen[one.id()] {
			continue
		}
		if err := p.judgePair(one, c.addPair(p, one, f, env)); err != nil {
			return err
		}
	}
	p.sort()
	switch {
	case len(p.mistakes) > 0:
		return p.mistakes
	case report != nil:
		return report.choose(c, f.File, there)
	case len(c.Links) == 0 && f.Links == nil:
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

// matches reports whether one of the patterns is about the link, by one of its
// texts. none is the answer where there are no patterns.
func (p pair) matches(patterns []string, none bool) bool {
	if len(patterns) == 0 {
		return none
	}
	for _, pattern := range patterns {
		for _, text := range p.texts() {
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

// placedError is what is wrong at one place of the file.
type placedError struct {
	path string
	error
}

// own is the path of a key where a host has it from: from its own entry, or from
// the defaults.
func (p *parsed) own(at, key string) string {
	shared := "defaults.hsm."
	if strings.HasPrefix(at, clientSection+".") {
		shared = "defaults.client."
	}
	if _, there := p.places[at+"."+key]; !there {
		if _, there = p.places[shared+key]; there {
			return shared + key
		}
	}
	return at + "." + key
}

// secretOf is where the password of one host of the file comes from. What the
// file does not say, the command line may.
func (p *parsed) secretOf(at string, r FileReach, f Flags, env Env) (e typedEnd, key string) {
	e.fileFlag, e.file = "password_file of "+at, env.home(p.beside(r.PasswordFile))
	e.commandFlag, e.command = "password_command of "+at, r.PasswordCommand
	e.variable = r.PasswordEnv
	switch {
	case r.PasswordFile != "":
		return e, "password_file"
	case r.PasswordCommand != "":
		return e, "password_command"
	case r.PasswordEnv != "":
		return e, "password_env"
	case strings.HasPrefix(at, clientSection+"."):
		return typedEnd{
			fileFlag: "--client-password-file", file: f.ClientPasswordFile, variable: EnvClientPassword,
			commandFlag: "--client-password-command", command: f.ClientPasswordCommand,
		}, ""
	}
	return typedEnd{
		fileFlag: "--hsm-password-file", file: f.HSMPasswordFile, variable: EnvHSMPassword,
		commandFlag: "--hsm-password-command", command: f.HSMPasswordCommand,
	}, ""
}

// fileEnd is how one host of the file is reached.
func (c *Config) fileEnd(p *parsed, at, typed string, r FileReach, f Flags, env Env) (End, error) {
	e, key := p.secretOf(at, r, f, env)
	e.flag, e.typed, e.pin, e.pinFlag = at, typed, r.HostKey, "host_key of "+at
	if r.PasswordEnv != "" && !p.alone && env.Getenv(r.PasswordEnv) == "" {
		return End{}, placedError{p.own(at, key), wrong("%s: the environment variable %s is not set", at, r.PasswordEnv)}
	}
	password, command, err := c.password(e, env)
	switch {
	case err != nil && key != "":
		return End{}, placedError{p.own(at, key), err}
	case err != nil:
		return End{}, err
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
	end, err := c.endBy(e, password, command, f, env)
	if err != nil {
		return End{}, placedError{at + ".host", err}
	}
	if r.JumpHost == "" {
		return end, nil
	}
	end.Jump = nil
	if r.JumpHost == noJump {
		return end, nil
	}
	path := p.own(at, "jump_host")
	end.Jump, err = c.jumps(end, sshconfig.Settings{
		Jumps:  strings.Split(r.JumpHost, ","),
		Places: map[string]string{"ProxyJump": p.name + ":" + strconv.Itoa(p.line(path))},
	}, f, env, nil)
	if err != nil {
		return End{}, placedError{path, err}
	}
	return end, nil
}

// sound reports whether nothing is wrong with a link and its hosts so far.
func (p *parsed) sound(one pair) bool {
	return !p.touched[one.path] && !p.touched[clientSection+"."+one.client] && !p.touched[hsmSection+"."+one.hsm] &&
		!p.touched["defaults"] && !p.faulty[""]
}

// judgePair keeps what is wrong with one link at the key that it is about. An
// error that the file has no part in is returned.
func (p *parsed) judgePair(one pair, err error) error {
	var placed placedError
	if err == nil {
		return nil
	}
	if errors.As(err, &placed) {
		p.judge(placed.path, placed.error)
		return nil
	}
	path, known := p.keyOf(one, err.Error())
	if !known {
		return err
	}
	p.judge(path, err)
	return nil
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
	p, err := readFile(name, env)
	if err != nil {
		return 0, err
	}
	p.alone = true
	var c Config
	for _, one := range p.pairs() {
		if !p.sound(one) {
			continue
		}
		if err := p.judgePair(one, c.addPair(p, one, Flags{}, env)); err != nil {
			return 0, err
		}
	}
	p.sort()
	if len(p.mistakes) > 0 {
		return 0, p.mistakes
	}
	return len(p.pairs()), nil
}
