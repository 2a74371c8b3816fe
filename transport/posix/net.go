package posix

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"

	"ntl-setup/transport"
)

// netWord is a host or a number as the scripts hand it to ip, route, openssl and
// nc: it can be no option, and means the same to all of them.
var netWord = regexp.MustCompile(`\A[A-Za-z0-9_:.][A-Za-z0-9._:-]{0,252}\z`)

// netCall is the call of a query about another host.
func netCall(q transport.Query) (string, error) {
	words := q.ArgList()
	for _, w := range words {
		if !netWord.MatchString(w) {
			return "", fmt.Errorf("%q is no address", w)
		}
	}
	quoted, err := quoteAll(words)
	return "look_" + string(q.Kind) + " " + quoted, err
}

// addNet is addTo for what a query about another host found.
func (s section) addNet(f *transport.Fact, value string) error {
	switch s.name {
	case "route":
		f.Names = sources(value)
	case "tool":
		f.Tool = value
	case "reached":
		f.Reached = true
	default:
		return s.addNumbers(f, value)
	}
	return nil
}

// sources are the own addresses in what look_route tells: the word after "src"
// (`ip route get`), else those of the interface (ifconfig).
func sources(text string) []string {
	words := strings.Fields(text)
	for i := 1; i < len(words); i++ {
		if a, err := netip.ParseAddr(words[i]); err == nil && words[i-1] == "src" {
			return []string{a.String()}
		}
	}
	return addresses(text)
}
