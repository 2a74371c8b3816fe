package config

import (
	"cmp"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"ntl-setup/steps"
	"ntl-setup/transport/ssh"
)

// envName is what a variable of an environment may be called.
var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// noJump is the jump_host that takes a default away again.
const noJump = "none"

// checkHost checks how a host is written. Whose login it is may stand elsewhere.
func (p *parsed) checkHost(path, host string) {
	if host == "" {
		p.missing(path, "host")
		return
	}
	if host == Local && strings.HasPrefix(path, "clients.") {
		return
	}
	_, err := ssh.ParseTarget(host, "somebody")
	p.judge(path+".host", err)
}

func (p *parsed) checkReach(path string, r FileReach) {
	if r.Port < 0 || r.Port > 65535 || r.Port == 0 && p.places.At(path+".port") != p.places.At(path) {
		p.wrong(path+".port", "port %d is no number from 1 to 65535", r.Port)
	}
	switch { // neither shows the user: a password may stand behind it
	case strings.Contains(r.User, ":"):
		p.wrong(path+".user", "user has a colon, and what follows it may be a password; passwords come by password_file, password_env or password_command")
	case strings.ContainsFunc(r.User, func(c rune) bool { return c <= ' ' || c == 0x7f }):
		p.wrong(path+".user", "user has a blank or a control character")
	}
	p.judge(path+".host_key", checkPin("host_key", r.HostKey))
	p.checkSecrets(path, r)
	for i, file := range r.IdentityFile {
		p.checkReadable(path+".identity_file["+strconv.Itoa(i)+"]", file)
	}
	if r.JumpHost != "" && r.JumpHost != noJump {
		for hop := range strings.SplitSeq(r.JumpHost, ",") {
			_, err := ssh.ParseTarget(hop, "somebody")
			p.judge(path+".jump_host", err)
		}
	}
}

// checkSecrets checks that there is one answer to what the password is.
func (p *parsed) checkSecrets(path string, r FileReach) {
	sources := []string{}
	for key, value := range map[string]string{
		"password_file": r.PasswordFile, "password_env": r.PasswordEnv, "password_command": r.PasswordCommand,
	} {
		if value != "" {
			sources = append(sources, key)
		}
	}
	slices.Sort(sources)
	if len(sources) > 1 {
		p.wrong(path+"."+sources[1], "%s are both given, and only one can be right", strings.Join(sources, " and "))
	}
	if r.PasswordFile != "" {
		p.checkSecretFile(path+".password_file", "password_file", r.PasswordFile)
	}
	if r.PasswordCommand != "" && strings.TrimSpace(r.PasswordCommand) == "" {
		p.wrong(path+".password_command", "password_command is empty")
	}
	if r.PasswordEnv != "" && !envName.MatchString(r.PasswordEnv) {
		p.wrong(path+".password_env", "password_env is no name of an environment variable; the password itself does not belong into this file")
	}
}

// checkSecretFile checks that a file is there and holds a password. What is no
// file on a disk, as the output of a command, can be read once and is left alone.
func (p *parsed) checkSecretFile(path, key, file string) {
	whole := p.env.home(p.beside(file))
	info, err := os.Stat(whole)
	if err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		return
	}
	_, _, err = p.env.secret(key, whole, "")
	p.judge(path, err)
}

// checkReadable checks that a file is there, without reading it.
func (p *parsed) checkReadable(path, file string) {
	f, err := os.Open(p.env.home(p.beside(file)))
	if err != nil {
		p.wrong(path, "%v", err)
		return
	}
	_ = f.Close() // it was only opened
}

func (p *parsed) checkClientReach(path string, r FileClientReach) {
	p.checkReach(path, r.FileReach)
	if kinds := steps.Kinds(); r.Kind != "" && !slices.Contains(kinds, steps.Kind(r.Kind)) {
		p.wrong(path+".kind", "kind %q is none of %s", r.Kind, joined(kinds))
	}
	if r.SudoPasswordFile != "" {
		p.checkSecretFile(path+".sudo_password_file", "sudo_password_file", r.SudoPasswordFile)
	}
	if r.ConfigPath != "" {
		p.judge(path+".config_path", checkConfigPath(r.ConfigPath))
	}
}

// joined is the kinds in a row.
func joined(kinds []steps.Kind) string {
	words := []string{}
	for _, k := range kinds {
		words = append(words, string(k))
	}
	return strings.Join(words, ", ")
}

func (p *parsed) checkPartitions(path string, names Words) {
	for i, name := range names {
		p.judge(path+"["+strconv.Itoa(i)+"]", checkName("partition", name))
	}
}

func (p *parsed) checkLink(path string, l FileLink) {
	if len(l.Client) == 0 {
		p.missing(path, "client")
	}
	if len(l.HSM) == 0 {
		p.missing(path, "hsm")
	}
	if len(l.Partition)+len(p.file.Defaults.Partitions) == 0 && !p.faulty["defaults"] && !p.faulty["defaults.partitions"] {
		p.missing(path, "partition")
	}
	for i, name := range l.Client {
		_, client := p.file.Clients[name]
		_, group := p.file.Groups[name]
		if !client && !group && p.readable(clientSection, name) && !p.faulty["groups"] && !p.faulty["groups."+name] {
			p.wrong(path+".client["+strconv.Itoa(i)+"]", "there is no client and no group %s", name)
		}
	}
	for i, name := range l.HSM {
		if _, known := p.file.HSMs[name]; !known && p.readable(hsmSection, name) {
			p.wrong(path+".hsm["+strconv.Itoa(i)+"]", "there is no hsm %s", name)
		}
	}
	p.checkPartitions(path+".partition", l.Partition)
	if l.Name == "" {
		return
	}
	p.judge(path+".name", cmp.Or(checkName("name", l.Name), checkOwn("name", l.Name)))
	if len(p.clientsOf(l)) > 1 {
		p.wrong(path+".name", "name %s would be that of several clients; it belongs to each client", l.Name)
	}
}

// members are the clients that a name stands for; none if it is unknown.
func (p *parsed) members(name string) []string {
	if _, known := p.file.Clients[name]; known {
		return []string{name}
	}
	return p.file.Groups[name]
}

// clientsOf are the clients of a link, each once, in the order of the file.
func (p *parsed) clientsOf(l FileLink) []string {
	var all []string
	for _, name := range l.Client {
		for _, member := range p.members(name) {
			if _, known := p.file.Clients[member]; known && !slices.Contains(all, member) {
				all = append(all, member)
			}
		}
	}
	return all
}
