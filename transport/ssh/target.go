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
// others. Errors are *transport.Error of class config.
func ParseTarget(s, defaultUser string) (Target, error) {
	bad := func(format string, args ...any) (Target, error) {
		args = append([]any{transport.Printable(s)}, args...)
		return Target{}, transport.Errorf(transport.ClassConfig, "", "host %q: "+format, args...).
			WithHint("write [user@]host[:port], an IPv6 address with a port as [address]:port")
	}
	if strings.Contains(s, "://") {
		return bad("is a URL")
	}
	t := Target{User: defaultUser}
	hostport := s
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		t.User, hostport = s[:i], s[i+1:]
		if t.User == "" {
			return bad("no user stands before the @")
		}
	}
	if t.User == "" {
		return bad("no user was given")
	}
	if strings.ContainsFunc(t.User, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return bad("the user holds a blank or a control character")
	}
	host, port, problem := splitHostPort(hostport)
	if problem == "" {
		problem = checkHost(host)
	}
	if problem != "" {
		return bad("%s", problem)
	}
	t.Host, t.Port = host, port
	t.Name = t.name()
	return t, nil
}

// splitHostPort also takes what net.SplitHostPort refuses: a missing port and a
// bare IPv6 address. problem is empty when all is well.
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
			return inner, defaultPort, ""
		}
		if rest[0] != ':' {
			return "", 0, "a colon and a port, or nothing, may follow the bracket"
		}
		host, text = inner, rest[1:]
	case isIPv6(s):
		return s, defaultPort, ""
	case strings.Count(s, ":") > 1:
		return "", 0, "is neither an IPv6 address nor host:port"
	case !strings.Contains(s, ":"):
		return s, defaultPort, ""
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

func (t Target) name() string {
	if t.Name != "" {
		return t.Name
	}
	return t.User + "@" + t.address()
}
