package sshconfig

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Settings is what applies to a host. The zero value of a field means that
// nothing is said.
type Settings struct {
	HostName string // what to dial
	User     string
	Port     int
	// IdentityFiles and CertificateFiles are paths. NoIdentityFiles: the default
	// files are not wanted either.
	IdentityFiles    []string
	CertificateFiles []string
	NoIdentityFiles  bool
	IdentitiesOnly   bool
	// Agent is the socket of the agent; NoAgent: none is wanted.
	Agent   string
	NoAgent bool
	// Jumps are the hosts to go through, first to last, as [user@]host[:port].
	Jumps        []string
	HostKeyAlias string
	// KnownHosts are the files of known host keys; NoKnownHosts: none is wanted.
	KnownHosts   []string
	NoKnownHosts bool
	// Strict: a new host key is not to be accepted.
	Strict         bool
	ConnectTimeout time.Duration
	// Algorithms are those that the lines about algorithms name, or add.
	Algorithms []string
	// Places has file:line of what is set, by keyword as the manual spells it.
	Places map[string]string
	// Warnings are remarks on the file, one line each, with file:line.
	Warnings []string
}

func lower(s string) string { return strings.ToLower(s) }

// hostName is the name to dial as far as it was read until now.
func (e *evaluator) hostName() string {
	v := e.values["hostname"]
	if len(v) == 0 {
		return e.query.Host
	}
	name, err := e.tokens(v[0].words[0], map[byte]string{'h': e.query.Host})
	if err != nil {
		return e.query.Host
	}
	return name
}

// user is the login name as far as it was read until now.
func (e *evaluator) user() string {
	switch v := e.values["user"]; {
	case e.query.User != "":
		return e.query.User
	case len(v) > 0:
		return v[0].words[0]
	}
	return e.query.Local
}

// settings makes sense of what was collected.
func (e *evaluator) settings() Settings {
	s := Settings{Places: map[string]string{}}
	for _, read := range []func(*Settings){e.where, e.keys, e.agent, e.proxy, e.hostKeys, e.algorithms} {
		read(&s)
	}
	for _, list := range e.values {
		for _, v := range list {
			if _, ok := s.Places[v.keyword]; !ok {
				s.Places[v.keyword] = v.place
			}
		}
	}
	s.Warnings = e.warnings
	return s
}

// each calls take with every value of a slot; its error becomes a warning.
func (e *evaluator) each(slot string, take func(v value) error) {
	for _, v := range e.values[slot] {
		if err := take(v); err != nil {
			e.warn(v.place, "%s is not taken: %v", v.keyword, err)
		}
	}
}

func (e *evaluator) where(s *Settings) {
	e.each("hostname", func(v value) (err error) {
		s.HostName, err = e.tokens(v.words[0], map[byte]string{'h': e.query.Host})
		return err
	})
	e.each("user", func(v value) error { s.User = v.words[0]; return nil })
	e.each("port", func(v value) error {
		port, err := strconv.Atoi(v.words[0])
		if err != nil || port < 1 || port > 65535 {
			return fmt.Errorf("%q is no port", v.words[0])
		}
		s.Port = port
		return nil
	})
	e.each("connecttimeout", func(v value) error {
		seconds, err := strconv.Atoi(v.words[0])
		switch {
		case v.words[0] == "none":
			return nil
		case err != nil || seconds < 1 || seconds > 1<<20:
			return fmt.Errorf("%q is no number of seconds", v.words[0])
		}
		s.ConnectTimeout = time.Duration(seconds) * time.Second
		return nil
	})
}

func (e *evaluator) keys(s *Settings) {
	e.each("identityfile", func(v value) error {
		if lower(v.words[0]) == "none" {
			s.NoIdentityFiles = true
			return nil
		}
		return e.path(v.words[0], &s.IdentityFiles)
	})
	e.each("certificatefile", func(v value) error {
		if lower(v.words[0]) == "none" {
			return nil
		}
		return e.path(v.words[0], &s.CertificateFiles)
	})
	e.each("identitiesonly", func(v value) (err error) {
		s.IdentitiesOnly, err = yes(v.words[0])
		return err
	})
}

func yes(word string) (bool, error) {
	switch lower(word) {
	case "yes", "true":
		return true, nil
	case "no", "false":
		return false, nil
	}
	return false, fmt.Errorf("%q is neither yes nor no", word)
}

func (e *evaluator) agent(s *Settings) {
	e.each("identityagent", func(v value) error {
		name := v.words[0]
		switch {
		case lower(name) == "none":
			s.NoAgent = true
			return nil
		case name == "SSH_AUTH_SOCK":
			s.Agent = e.query.Getenv(name)
			return nil
		case name[0] == '$' && !strings.HasPrefix(name, "${"):
			s.Agent = e.query.Getenv(name[1:])
			s.NoAgent = s.Agent == ""
			return nil
		}
		var paths []string
		err := e.path(name, &paths)
		if err == nil {
			s.Agent = paths[0]
		}
		return err
	})
}

func (e *evaluator) proxy(s *Settings) {
	e.each("proxy", func(v value) error {
		switch {
		case lower(v.words[0]) == "none":
		case v.keyword == "ProxyCommand":
			return fmt.Errorf("no command is run to reach a host, which is dialled directly; ProxyJump goes through others")
		default:
			for hop := range strings.SplitSeq(v.words[0], ",") {
				hop = strings.TrimSuffix(strings.TrimPrefix(hop, "ssh://"), "/")
				if hop == "" {
					s.Jumps = nil
					return fmt.Errorf("%q is no list of hosts", v.words[0])
				}
				s.Jumps = append(s.Jumps, hop)
			}
		}
		return nil
	})
}

func (e *evaluator) hostKeys(s *Settings) {
	e.each("hostkeyalias", func(v value) error { s.HostKeyAlias = v.words[0]; return nil })
	e.each("userknownhostsfile", func(v value) error {
		if lower(v.words[0]) == "none" {
			s.NoKnownHosts = true
			return nil
		}
		for _, w := range v.words {
			if err := e.path(w, &s.KnownHosts); err != nil {
				return err
			}
		}
		return nil
	})
	e.each("stricthostkeychecking", func(v value) error {
		// The others are looser than what is done without being asked.
		s.Strict = lower(v.words[0]) == "yes" || lower(v.words[0]) == "true"
		return nil
	})
}

// algorithms collects the names of the lists: whole ones, and those that add (+)
// or prefer (^). A list that takes away (-) adds none.
func (e *evaluator) algorithms(s *Settings) {
	for _, slot := range []string{"kexalgorithms", "ciphers", "macs", "hostkeyalgorithms", "pubkeyacceptedalgorithms"} {
		e.each(slot, func(v value) error {
			if list := v.words[0]; list[0] != '-' {
				for name := range strings.SplitSeq(strings.TrimLeft(list, "+^"), ",") {
					if !slices.Contains(s.Algorithms, name) {
						s.Algorithms = append(s.Algorithms, name)
					}
				}
			}
			return nil
		})
	}
}
