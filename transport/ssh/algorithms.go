package ssh

import (
	"slices"

	"golang.org/x/crypto/ssh"
)

// hostKeyKinds are the plain host key algorithms by kind of key, in the order
// of preference that OpenSSH has. A host has one key of each kind at most, so a
// kind whose key was seen needs no second look.
func hostKeyKinds(legacy bool) [][]string {
	rsa := []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	if legacy {
		rsa = append(rsa, ssh.KeyAlgoRSA)
	}
	return [][]string{
		{ssh.KeyAlgoED25519},
		{ssh.KeyAlgoECDSA256}, {ssh.KeyAlgoECDSA384}, {ssh.KeyAlgoECDSA521},
		rsa,
	}
}

// legacyKex, legacyCiphers and legacyMACs are what appliances of the 5.x and
// 6.x series may insist on. RC4 and DSA stay out: no box is known that has
// nothing better.
func legacyKex() []string {
	return []string{
		ssh.InsecureKeyExchangeDHGEXSHA1,
		ssh.InsecureKeyExchangeDH14SHA1,
		ssh.InsecureKeyExchangeDH1SHA1,
	}
}

func legacyCiphers() []string {
	return []string{ssh.InsecureCipherAES128CBC, ssh.InsecureCipherTripleDESCBC}
}

func legacyMACs() []string { return []string{ssh.HMACSHA1, ssh.InsecureHMACSHA196} }

// wireConfig is what is offered. Legacy adds at the end and takes nothing away,
// so that a box that knows better still gets better.
func wireConfig(legacy bool) ssh.Config {
	a := ssh.SupportedAlgorithms()
	if legacy {
		a.KeyExchanges = appendNew(a.KeyExchanges, legacyKex())
		a.Ciphers = appendNew(a.Ciphers, legacyCiphers())
		a.MACs = appendNew(a.MACs, legacyMACs())
	}
	return ssh.Config{KeyExchanges: a.KeyExchanges, Ciphers: a.Ciphers, MACs: a.MACs}
}

func appendNew(list, more []string) []string {
	for _, m := range more {
		if !slices.Contains(list, m) {
			list = append(list, m)
		}
	}
	return list
}

// onlyLegacy are those of the offered algorithms that --legacy-ssh would add.
func onlyLegacy(offered []string) []string {
	normal := ssh.SupportedAlgorithms()
	plain := slices.Concat(normal.KeyExchanges, normal.Ciphers, normal.MACs, normal.HostKeys)
	all := slices.Concat(legacyKex(), legacyCiphers(), legacyMACs(), []string{ssh.KeyAlgoRSA})
	var found []string
	for _, o := range offered {
		if slices.Contains(all, o) && !slices.Contains(plain, o) {
			found = append(found, o)
		}
	}
	return found
}

// LegacyAlgorithms are those of the names that are offered with Options.Legacy
// alone.
func LegacyAlgorithms(names []string) []string { return onlyLegacy(names) }

// weakNegotiated names the legacy algorithms that a connection really uses.
func weakNegotiated(c ssh.Conn) []string {
	m, ok := c.(ssh.AlgorithmsConnMetadata)
	if !ok {
		return nil
	}
	a := m.Algorithms()
	used := []string{a.KeyExchange, a.HostKey, a.Read.Cipher, a.Write.Cipher, a.Read.MAC, a.Write.MAC}
	weak := onlyLegacy(used)
	slices.Sort(weak)
	return slices.Compact(weak)
}
