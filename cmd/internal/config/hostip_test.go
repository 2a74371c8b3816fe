package config

import (
	"strings"
	"testing"

	"ntl-setup/orchestrator"
)

func TestHostNames(t *testing.T) {
	long := strings.Repeat("a", 60) + ".example.net"
	for name, c := range map[string]struct {
		address, mapped string
		want            string // the mapping, as it is sent
		refused         string
	}{
		"a name":                 {"web1.example.net", "", "", ""},
		"a name, mapped":         {"web1.example.net", "192.0.2.10", "192.0.2.10", ""},
		"a name, mapped to IPv6": {"web1.example.net", "2001:DB8:0::7", "2001:db8::7", ""},
		"an address in IPv6":     {"web1.example.net", "::ffff:192.0.2.10", "192.0.2.10", ""},
		"an address, mapped":     {"192.0.2.10", "192.0.2.10", "", "--client-address 192.0.2.10 is an IP address"},
		"an address by default":  {"", "192.0.2.10", "", "is an IP address"},
		"a name to a name":       {"web1.example.net", "web1", "", `--map-host-ip "web1" is not the IP address of a host`},
		"to no address":          {"web1.example.net", "0.0.0.0", "", "is not the IP address of a host"},
		"to many":                {"web1.example.net", "224.0.0.1", "", "is not the IP address of a host"},
		"to itself in IPv6":      {"web1.example.net", "::1", "", "is not the IP address of a host"},
		"to none in IPv6":        {"web1.example.net", "::", "", "is not the IP address of a host"},
		"to many in IPv6":        {"web1.example.net", "ff02::1", "", "is not the IP address of a host"},
		"to many, in IPv6's way": {"web1.example.net", "::ffff:224.0.0.1", "", "is not the IP address of a host"},
		"to all":                 {"web1.example.net", "255.255.255.255", "", "is not the IP address of a host"},
		"on this machine":        {"web1.example.net", "127.0.0.1", "127.0.0.1", ""},
		"to a zone":              {"web1.example.net", "fe80::1%eth0", "", "is not the IP address of a host"},
		"a long name":            {long, "", "", "has 72 characters, and the name in a certificate has room for 64"},
	} {
		f := given()
		f.ClientAddress, f.MapHostIP = c.address, c.mapped
		got, err := f.Resolve(session())
		switch {
		case c.refused != "":
			if err == nil || !strings.Contains(err.Error(), c.refused) || orchestrator.Fail(err).Class != "config" || orchestrator.Fail(err).Hint == "" {
				t.Errorf("%s: %v, want %q and a hint", name, err, c.refused)
			}
		case err != nil:
			t.Errorf("%s: %v", name, err)
		case got.Links[0].MapHostIP != c.want:
			t.Errorf("%s: %q, want %q", name, got.Links[0].MapHostIP, c.want)
		}
	}
}
