package config

import (
	"cmp"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"ntl-setup/transport/ssh"
)

// machineOf tells one machine from another as far as the file alone can: by where
// it is dialled and as whom, for a user may have a host of its own there, and by
// what it is reached through, since a network behind a jump host has addresses of
// its own. Empty where that cannot be told.
func (p *parsed) machineOf(at, host string, r FileReach) string {
	if host == Local {
		return Local
	}
	typed, err := ssh.SplitTarget(targetOf(host, r))
	if err != nil || p.touched[at+".host"] || p.touched[at+".port"] {
		return ""
	}
	name := strings.ToLower(strings.TrimSuffix(typed.Host, "."))
	if a, err := netip.ParseAddr(name); err == nil {
		name = a.Unmap().String()
	}
	name = net.JoinHostPort(name, strconv.Itoa(cmp.Or(typed.Port, 22)))
	if typed.User != "" {
		name = typed.User + "@" + name
	}
	if r.JumpHost != "" && r.JumpHost != noJump {
		name += " through " + r.JumpHost
	}
	return name
}

// clientMachine is the machine of a client, and the directories by which it has
// several clients: the one that stands for /, and that of the configuration.
func (p *parsed) clientMachine(name string) string {
	c := p.file.Clients[name]
	m := p.machineOf(clientSection+"."+name, c.Host, merge(c.FileReach, p.file.Defaults.Client.FileReach))
	for _, where := range []struct{ word, path string }{{" below ", c.Root}, {" by ", c.ConfigPath}} {
		if m != "" && where.path != "" {
			m += where.word + where.path
		}
	}
	return m
}

// hsmMachine is the machine of an appliance.
func (p *parsed) hsmMachine(name string) string {
	h := p.file.HSMs[name]
	return p.machineOf(hsmSection+"."+name, h.Host, merge(h.FileReach, p.file.Defaults.HSM))
}

// line is where an entry stands.
func (p *parsed) line(path string) int { return p.places.At(path).Line }

// inOrder are the names of a section's entries, in the order of the file.
func inOrder[E any](p *parsed, section string, entries map[string]E) []string {
	names := []string{}
	for name := range entries {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		one, other := p.places.At(section+"."+a), p.places.At(section+"."+b)
		return cmp.Or(cmp.Compare(one.Line, other.Line), cmp.Compare(one.Column, other.Column), cmp.Compare(a, b))
	})
	return names
}

// checkTwins finds machines that stand there under two names. A client has one
// certificate pair, whatever it is called; an appliance has two names only where
// clients reach it by different addresses.
func (p *parsed) checkTwins() {
	first := map[string]string{}
	for _, name := range inOrder(p, clientSection, p.file.Clients) {
		machine, at := p.clientMachine(name), clientSection+"."+name
		switch other, twice := first[machine]; {
		case machine == "":
		case twice:
			p.twins[at] = true
			p.wrong(p.hostOf(at, clientSection+"."+other), "%s is the same machine as client %s in line %d (%s)", name, other, p.line(clientSection+"."+other), machine)
		default:
			first[machine] = name
		}
	}
	first = map[string]string{}
	for _, name := range inOrder(p, hsmSection, p.file.HSMs) {
		machine, at := p.hsmMachine(name), hsmSection+"."+name
		address := strings.ToLower(p.file.HSMs[name].Address)
		switch other, twice := first[machine+"\n"+address]; {
		case machine == "":
		case twice:
			p.twins[at] = true
			p.wrong(p.hostOf(at, hsmSection+"."+other), "%s is the same appliance as %s in line %d (%s); one entry is enough unless clients reach it by different addresses (address)",
				name, other, p.line(hsmSection+"."+other), machine)
		default:
			first[machine+"\n"+address] = name
		}
	}
}

// hostOf is the path that tells the host of an entry; that of the entry itself
// where both are the same text by an alias.
func (p *parsed) hostOf(at, other string) string {
	if p.places.At(at+".host") == p.places.At(other+".host") {
		return at
	}
	return at + ".host"
}

// checkPairs finds links that are there twice, and names that are given twice on
// one appliance: the second would meet the first there, in the middle of the run.
func (p *parsed) checkPairs() {
	links, names, addresses := map[string]pair{}, map[string]pair{}, map[string]pair{}
	for _, one := range p.pairs() {
		if p.twins[clientSection+"."+one.client] || p.twins[hsmSection+"."+one.hsm] {
			continue // that is told, and all this follows from it
		}
		machine := cmp.Or(p.hsmMachine(one.hsm), one.hsm)
		key := one.client + "\n" + machine
		if other, twice := links[key]; twice {
			p.twice(one, other)
			continue
		}
		links[key] = one
		address := strings.ToLower(p.address(p.file.Clients[one.client]))
		if address == "" {
			p.noAddress(one)
			continue
		}
		key = machine + "\n" + one.name
		if other, twice := names[key]; twice && other.client != one.client {
			p.clash(one, other, one.name)
			continue
		}
		names[key] = one
		// The address is the file that the certificate goes by, and what the HSM
		// registers: one for two would exchange their certificates.
		key = machine + "\n" + address
		if other, twice := addresses[key]; twice && other.client != one.client {
			p.clash(one, other, "the client at "+address)
			continue
		}
		addresses[key] = one
	}
}

// twice tells that a client has two links with one appliance.
func (p *parsed) twice(one, other pair) {
	if one.hsm != other.hsm {
		p.wrong(one.path, "%s and %s are the same appliance (lines %d and %d), and the link of %s with it stands in line %d already",
			other.hsm, one.hsm, p.line(hsmSection+"."+other.hsm), p.line(hsmSection+"."+one.hsm), one.client, p.line(other.path))
		return
	}
	p.wrong(one.path, "the link of %s with %s stands in line %d already; its partitions can all stand there", one.client, one.hsm, p.line(other.path))
}

// noAddress tells that a client that has a link has no address, if it is known
// that it has none.
func (p *parsed) noAddress(one pair) {
	at := clientSection + "." + one.client
	if host := p.file.Clients[one.client].Host; host != "" && !p.touched[at+".host"] && !p.faulty[at+".address"] && !p.faulty[at+".<<"] {
		p.wrong(at, "address is missing: %s does not tell what the HSM sees", host)
	}
}

// clash tells that two clients would be the same on one appliance.
func (p *parsed) clash(one, other pair, as string) {
	if one.path == other.path && p.touched[one.path+".name"] {
		return // the link's name is for one client
	}
	p.wrong(one.path, "%s and %s (lines %d and %d) would both be %s on %s", other.client, one.client,
		p.line(clientSection+"."+other.client), p.line(clientSection+"."+one.client), as, one.hsm)
}
