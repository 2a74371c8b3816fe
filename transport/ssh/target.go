package ssh

import (
	"net"
	"net/netip"
	"strconv"
	"strings"

	"ntl-setup/transport"
)

const defaultPort = 22

// Target is whom to dial, and as whom.
type Target struct {
	User string
	Host string // a name, an IPv4 address, or an IPv6 address without brackets
	Port int    // 0 is 22
	// Name is what errors and reports call the machine; empty is
	// "user@host:port", with brackets around an IPv6 address.
	Name string
}

// ParseTarget reads [user@]host[:port]. An IPv6 address stands in brackets, or
// bare if no port follows it. The user is cut off at the last "@" and may hold
// others, but no colon: what would follow it is a password, and those are given
// elsewhere. Errors are *transport.Error of class config, and show nothing that
// may be one.
func ParseTarget(s, defaultUser string) (Target, error) {
	t, err := SplitTarget(s)
	if err != nil {
		return Target{}, err
	}
	if t.User == "" {
		if t.User = defaultUser; t.User == "" {
			return Target{}, badTarget(s, "no user was given")
		}
		if problem := checkUser(t.User); problem != "" {
			return Target{}, badTarget(s, problem)
		}
	}
	if t.Port == 0 {
		t.Port = defaultPort
	}
	t.Name = t.name()
	return t, nil
}

// SplitTarget is ParseTarget that adds nothing: what was not written is empty,
// and there is no name.
func SplitTarget(s string) (Target, error) {
	if i := strings.LastIndexByte(s, '@'); i >= 0 && strings.Contains(strings.TrimPrefix(s[:i], "ssh://"), ":") {
		return Target{}, transport.Errorf(transport.ClassConfig, "", "the user before the @ has a colon, and what follows it may be a password").
			WithHint("write [user@]host[:port]; a password comes from a file, a command or the environment " +
				"(--client-password-file and --hsm-password-file, in a file of links password_file; password_command, password_env)")
	}
	if strings.Contains(s, "://") {
		return Target{}, badTarget(s, "is a URL")
	}
	var t Target
	hostport := s
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		t.User, hostport = s[:i], s[i+1:]
		if t.User == "" {
			return Target{}, badTarget(s, "no user stands before the @")
		}
	}
	problem := checkUser(t.User)
	if problem == "" {
		t.Host, t.Port, problem = splitHostPort(hostport)
	}
	if problem == "" {
		problem = checkHost(t.Host)
	}
	if problem != "" {
		return Target{}, badTarget(s, problem)
	}
	return t, nil
}

func badTarget(s, problem string) error {
	// What stands in the place of a port without being a number may be a password.
	if host, rest, found := strings.Cut(s[strings.LastIndexByte(s, '@')+1:], ":"); found && !isIPv6(host+":"+rest) &&
		strings.Trim(rest, "0123456789abcdefABCDEF:.[]%") != "" {
		s = strings.TrimSuffix(s, rest) + "…"
	}
	return transport.Errorf(transport.ClassConfig, "", "host %q: %s", transport.Printable(s), problem).
		WithHint("write [user@]host[:port], an IPv6 address with a port as [address]:port")
}

func checkUser(user string) string {
	if strings.ContainsFunc(user, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return "the user holds a blank or a control character"
	}
	return ""
}

// splitHostPort also takes what net.SplitHostPort refuses: a missing port and a
// bare IPv6 address. A missing port is 0. problem is empty when all is well.
func splitHostPort(s string) (host string, port int, problem string) {
	text := ""
	switch {
	case strings.HasPrefix(s, "["):
		inner, rest, closed := strings.Cut(s[1:], "]")
		if !closed {
			return "", 0, "the bracket is not closed"
		}
		if !isIPv6(inner) {
			return "", 0, "what stands in brackets is no IPv6 address"
		}
		if rest == "" {
			return inner, 0, ""
		}
		if rest[0] != ':' {
			return "", 0, "a colon and a port, or nothing, may follow the bracket"
		}
		host, text = inner, rest[1:]
	case isIPv6(s):
		return s, 0, ""
	case strings.Count(s, ":") > 1:
		return "", 0, "is neither an IPv6 address nor host:port"
	case !strings.Contains(s, ":"):
		return s, 0, ""
	default:
		host, text, _ = strings.Cut(s, ":")
	}
	port, err := strconv.Atoi(text)
	if err != nil || port < 1 || port > 65535 || text[0] == '+' {
		return "", 0, "the port is no number from 1 to 65535"
	}
	return host, port, ""
}

func isIPv6(s string) bool {
	a, err := netip.ParseAddr(s)
	return err == nil && a.Is6()
}

// checkHost lets through what can neither be mistaken for an option nor act as
// a pattern in known_hosts, where it may be written.
func checkHost(host string) string {
	if host == "" {
		return "no host was given"
	}
	if isIPv6(host) {
		return ""
	}
	if strings.Contains(host, ".") && strings.Trim(host, "0123456789.") == "" {
		if _, err := netip.ParseAddr(host); err != nil {
			return "the host is no IPv4 address"
		}
	}
	if host[0] == '-' || host[0] == '.' {
		return "the host begins with a hyphen or a dot"
	}
	for _, r := range host {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune(".-_", r):
		default:
			return "the host holds a character other than letters, digits, and . - _"
		}
	}
	return ""
}

// check is ParseTarget's check for a Target that was made by hand.
func (t Target) check() error {
	problem := checkHost(t.Host)
	switch {
	case problem != "":
	case t.User == "":
		problem = "no user was given"
	case checkUser(t.User) != "":
		problem = checkUser(t.User)
	case t.Port < 0 || t.Port > 65535:
		problem = "the port is no number from 1 to 65535"
	default:
		return nil
	}
	return transport.Errorf(transport.ClassConfig, t.name(), "%s", problem)
}

// address is what is dialled and looked up in known_hosts, which has lower case.
func (t Target) address() string {
	port := t.Port
	if port == 0 {
		port = defaultPort
	}
	return net.JoinHostPort(strings.ToLower(t.Host), strconv.Itoa(port))
}

// String is the name.
func (t Target) String() string { return t.name() }

func (t Target) name() string {
	if t.Name != "" {
		return t.Name
	}
	return t.User + "@" + t.address()
}
