package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"ntl-setup/cmd/internal/config/sshconfig"
	"ntl-setup/transport/ssh"
)

// mostJumps is how many hosts may lie between this machine and an end.
const mostJumps = 8

// reach is how a host is reached, by what was typed and by ~/.ssh/config. What
// was typed goes first. on are the hosts that are reached through this one.
func (c *Config) reach(text string, f Flags, env Env, on []string) (End, error) {
	typed, err := ssh.SplitTarget(text)
	if err != nil {
		return End{}, err
	}
	s := sshconfig.Evaluate(sshconfig.Query{
		Host: typed.Host, User: typed.User, Port: typed.Port, Local: env.User, Home: env.Home, Getenv: env.Getenv,
	})
	for _, w := range s.Warnings {
		c.warn(w)
	}
	user := cmp.Or(typed.User, s.User, env.User)
	if user == "" {
		_, err := ssh.ParseTarget(text, "") // has the words
		return End{}, err
	}
	end := End{
		Host:         typed.Host,
		Target:       target(typed, user, s),
		Aliased:      s.HostName != "" && !strings.EqualFold(s.HostName, typed.Host),
		HostKeyAlias: s.HostKeyAlias,
		KnownHosts:   knownHosts(f, env, s),
		AcceptNew:    f.AcceptNewHostKeys && !s.Strict,
		Legacy:       f.LegacySSH,
		Patience:     s.ConnectTimeout,
		Keys: ssh.Keys{
			Configured: s.IdentityFiles, Certificates: s.CertificateFiles, NoDefaults: s.NoIdentityFiles,
			Only: s.IdentitiesOnly, Agent: agentSocket(s, env),
		},
	}
	if slices.Contains(on, machine(end)) {
		return End{}, wrong("the way to %s leads through itself (ProxyJump, %s)", end.Target.Name, s.Places["ProxyJump"]).
			WithHint("end the circle in ~/.ssh/config: ProxyJump none in a block for %s, before that line", end.Host)
	}
	c.remarks(&end, f, s)
	end.Jump, err = c.jumps(end, s, f, env, on)
	c.taken(end, typed, s)
	return end, err
}

// target is whom to dial. Its name is what was typed, completed.
func target(typed ssh.Target, user string, s sshconfig.Settings) ssh.Target {
	t := ssh.Target{User: user, Host: typed.Host, Port: cmp.Or(typed.Port, s.Port, 22)}
	t.Name = t.String()
	t.Host = cmp.Or(s.HostName, typed.Host)
	return t
}

// agentSocket is where the agent listens, if one is wanted.
func agentSocket(s sshconfig.Settings, env Env) string {
	if s.NoAgent {
		return ""
	}
	return cmp.Or(s.Agent, env.Getenv("SSH_AUTH_SOCK"))
}

// remarks are about what makes a connection weaker, or stricter than was asked.
func (c *Config) remarks(end *End, f Flags, s sshconfig.Settings) {
	if f.AcceptNewHostKeys && s.Strict {
		c.warn(fmt.Sprintf("%s: a new host key is not accepted: StrictHostKeyChecking yes (%s)", end.Host, s.Places["StrictHostKeyChecking"]))
	}
	if weak := ssh.LegacyAlgorithms(s.Algorithms); len(weak) > 0 && !end.Legacy {
		end.Legacy = true
		var places []string
		for _, keyword := range []string{"KexAlgorithms", "Ciphers", "MACs", "HostKeyAlgorithms", "PubkeyAcceptedAlgorithms", "PubkeyAcceptedKeyTypes"} {
			if place, ok := s.Places[keyword]; ok {
				places = append(places, keyword+" "+place)
			}
		}
		c.warn(fmt.Sprintf("%s: weak SSH algorithms are allowed, as by --legacy-ssh: %s (%s)", end.Host, strings.Join(weak, ", "), strings.Join(places, ", ")))
	}
}

// machine tells one machine of a chain from another.
func machine(e End) string {
	return strings.ToLower(fmt.Sprintf("%s:%d", e.Target.Host, e.Target.Port))
}

// jumps is the last of the hosts that an end is reached through, which leads to
// the ones before. The first of the list may be reached through others by a
// ProxyJump of its own, as with ssh; those after it are reached through it.
func (c *Config) jumps(end End, s sshconfig.Settings, f Flags, env Env, on []string) (*End, error) {
	on = append(slices.Clone(on), machine(end))
	if len(on)+len(s.Jumps) > mostJumps+1 {
		return nil, wrong("more than %d jump hosts, one behind the other (ProxyJump, %s)", mostJumps, s.Places["ProxyJump"])
	}
	var before *End
	for i, text := range s.Jumps {
		hop, err := c.reach(text, f, env, on)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			hop.Jump = before
		}
		before = &hop
	}
	return before, nil
}

// taken notes where a host is really reached, so that nobody has to guess.
func (c *Config) taken(end End, typed ssh.Target, s sshconfig.Settings) {
	var places []string
	for keyword, used := range map[string]bool{
		"HostName": end.Aliased, "Port": typed.Port == 0 && s.Port != 0,
		"User": typed.User == "" && s.User != "", "ProxyJump": end.Jump != nil, "HostKeyAlias": end.HostKeyAlias != "",
	} {
		if used {
			places = append(places, keyword+" "+s.Places[keyword])
		}
	}
	if len(places) == 0 {
		return
	}
	slices.Sort(places)
	where := end.Target
	where.Name = ""
	text := fmt.Sprintf("%s is %s", typed.Host, where)
	for hop := end.Jump; hop != nil; hop = hop.Jump {
		text += ", through " + hop.Target.Name
	}
	text += " (" + strings.Join(places, ", ") + ")"
	if !slices.Contains(c.Notes, text) {
		c.Notes = append(c.Notes, text)
	}
}
