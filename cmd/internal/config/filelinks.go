package config

import (
	"cmp"
	"maps"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"ntl-setup/transport/ssh"
)

// pair is one client with one HSM, as the file wants it.
type pair struct {
	client, hsm string
	groups      []string // that the client is in
	name        string
	partitions  Words
	path        string // of the entry in links
}

// id is what --only, --skip and reports call the link.
func (p pair) id() string { return p.client + "/" + p.hsm }

// pairs are the links of the file, in its order.
func (p *parsed) pairs() []pair {
	var all []pair
	groups := map[string][]string{}
	for group, members := range p.file.Groups {
		for _, client := range members {
			groups[client] = append(groups[client], group)
		}
	}
	for i, l := range p.file.Links {
		for _, client := range p.clientsOf(l) {
			for _, hsm := range l.HSM {
				if _, known := p.file.HSMs[hsm]; !known {
					continue
				}
				one := pair{client: client, hsm: hsm, groups: groups[client], path: "links[" + strconv.Itoa(i) + "]", partitions: l.Partition}
				if len(one.partitions) == 0 {
					one.partitions = p.file.Defaults.Partitions
				}
				c := p.file.Clients[client]
				one.name = cmp.Or(l.Name, c.Name, p.address(c))
				all = append(all, one)
			}
		}
	}
	return all
}

// address is what the HSMs know a client by; empty if the file does not tell.
func (p *parsed) address(c FileClient) string {
	if c.Address != "" {
		return c.Address
	}
	return literalOf(c.Host)
}

// variables are the names of the environment variables that hold passwords for
// some host of the file, whichever links are chosen.
func (p *parsed) variables() []string {
	names := map[string]bool{p.file.Defaults.Client.PasswordEnv: true, p.file.Defaults.HSM.PasswordEnv: true}
	for _, c := range p.file.Clients {
		names[c.PasswordEnv] = true
	}
	for _, h := range p.file.HSMs {
		names[h.PasswordEnv] = true
	}
	delete(names, "")
	return slices.Sorted(maps.Keys(names))
}

// beside is a path as the file means it: relative to the file's own directory.
func (p *parsed) beside(path string) string {
	switch {
	case path == "" || filepath.IsAbs(path), strings.HasPrefix(path, "~"):
		return path
	}
	return filepath.Join(filepath.Dir(p.name), path)
}

// flags are what the command line would be for one pair. How the two hosts are
// reached differs, and is in ends.
func (p *parsed) flags(f Flags, one pair) (Flags, [2]FileReach) {
	client, hsm := p.file.Clients[one.client], p.file.HSMs[one.hsm]
	reach := [2]FileReach{
		merge(client.FileReach, p.file.Defaults.Client.FileReach),
		merge(hsm.FileReach, p.file.Defaults.HSM),
	}
	f.Client, f.HSM = targetOf(client.Host, reach[0]), targetOf(hsm.Host, reach[1])
	f.ClientAddress, f.HSMAddress = client.Address, hsm.Address
	f.Name, f.Partitions = one.name, one.partitions
	f.HSMCertificate = cmp.Or(hsm.Certificate, f.HSMCertificate)
	f.MapHostIP = cmp.Or(client.MapHostIP, f.MapHostIP)
	f.ClientRoot = cmp.Or(client.Root, f.ClientRoot)
	f.ClientKind = cmp.Or(client.Kind, p.file.Defaults.Client.Kind, f.ClientKind)
	f.Rights.ConfigPath = cmp.Or(client.ConfigPath, p.file.Defaults.Client.ConfigPath, f.Rights.ConfigPath)
	if sudo := cmp.Or(client.SudoPasswordFile, p.file.Defaults.Client.SudoPasswordFile); sudo != "" {
		f.Rights.SudoPasswordFile, f.Rights.SudoPasswordCommand = p.env.home(p.beside(sudo)), ""
	}
	return f, reach
}

// merge is what a host says, and the defaults where it says nothing. A password
// that the host has from somewhere takes the place of any other.
func merge(own, shared FileReach) FileReach {
	out := FileReach{
		User: cmp.Or(own.User, shared.User), Port: cmp.Or(own.Port, shared.Port),
		PasswordFile: own.PasswordFile, PasswordEnv: own.PasswordEnv, PasswordCommand: own.PasswordCommand,
		HostKey: cmp.Or(own.HostKey, shared.HostKey), JumpHost: cmp.Or(own.JumpHost, shared.JumpHost),
		IdentityFile: own.IdentityFile, LegacySSH: cmp.Or(own.LegacySSH, shared.LegacySSH),
	}
	if len(out.IdentityFile) == 0 {
		out.IdentityFile = shared.IdentityFile
	}
	if own.PasswordFile+own.PasswordEnv+own.PasswordCommand == "" {
		out.PasswordFile, out.PasswordEnv, out.PasswordCommand = shared.PasswordFile, shared.PasswordEnv, shared.PasswordCommand
	}
	return out
}

// targetOf is [user@]host[:port] with what the host's entry adds.
func targetOf(host string, r FileReach) string {
	typed, err := ssh.SplitTarget(host)
	if host == Local || err != nil {
		return host
	}
	if r.Port != 0 && typed.Port == 0 {
		// An IPv6 address takes a port in brackets alone.
		if user, rest, found := strings.Cut(host, "@"); !found {
			host = bracketed(host)
		} else {
			host = user + "@" + bracketed(rest)
		}
		host += ":" + strconv.Itoa(r.Port)
	}
	if r.User != "" && typed.User == "" {
		host = r.User + "@" + host
	}
	return host
}

func bracketed(host string) string {
	if strings.Contains(host, ":") && !strings.HasPrefix(host, "[") {
		return "[" + host + "]"
	}
	return host
}

// literalOf is the host of [user@]host[:port] if it is an IP address.
func literalOf(host string) string {
	typed, err := ssh.SplitTarget(host)
	if err != nil {
		return ""
	}
	if _, err := netip.ParseAddr(typed.Host); err != nil {
		return ""
	}
	return typed.Host
}
