package lunash

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"ntl-setup/transport"
)

func row(address string, names ...string) HostIP {
	return HostIP{Names: names, Address: netip.MustParseAddr(address)}
}

// The layout is not known, so the parser must get along with any that puts
// names beside addresses.
func TestParseHostIPs(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []HostIP
	}{
		"two columns":        {"web1                             192.0.2.10\nweb10                            192.0.2.11\n", []HostIP{row("192.0.2.10", "web1"), row("192.0.2.11", "web10")}},
		"one blank":          {"web1 192.0.2.10\n", []HostIP{row("192.0.2.10", "web1")}},
		"tabs":               {"web1\tweb1.lab.example\t192.0.2.10\n", []HostIP{row("192.0.2.10", "web1", "web1.lab.example")}},
		"address first":      {"192.0.2.10   web1\n", []HostIP{row("192.0.2.10", "web1")}},
		"a table":            {"Client Name      IP Address\n=============    ===========\nweb1             192.0.2.10\n", []HostIP{row("192.0.2.10", "web1")}},
		"a table with bars":  {"| Client | Address |\n|--------|---------|\n| web1 | 192.0.2.10 |\n", []HostIP{row("192.0.2.10", "web1")}},
		"an empty table":     {"Client Name      IP Address\n=============    ===========\n", nil},
		"numbered":           {"registered client 1: web1   192.0.2.10\n2   web2   192.0.2.11\n", []HostIP{row("192.0.2.10", "web1"), row("192.0.2.11", "web2")}},
		"labels on one line": {"Client: web1 IP: 192.0.2.10\nClient Name: web2   IP Address: 192.0.2.11\n", []HostIP{row("192.0.2.10", "web1"), row("192.0.2.11", "web2")}},
		"labels in blocks":   {"ClientID:     web1\nHostname:     web1.lab.example\nIPAddress:    192.0.2.10\n\nClientID:     web2\nIPAddress:    192.0.2.11\n", []HostIP{row("192.0.2.10", "web1", "web1.lab.example"), row("192.0.2.11", "web2")}},
		"a sentence":         {"web1 is mapped to 192.0.2.10.\nweb2 mapped to (192.0.2.11)\n", []HostIP{row("192.0.2.10", "web1"), row("192.0.2.11", "web2")}},
		"an arrow":           {"web1 -> 192.0.2.10\nweb2 => 2001:db8::7\n", []HostIP{row("192.0.2.10", "web1"), row("2001:db8::7", "web2")}},
		"an equals sign":     {"web1 = 192.0.2.10\nweb2: 192.0.2.11\n", []HostIP{row("192.0.2.10", "web1"), row("192.0.2.11", "web2")}},
		"a broken line":      {"a-client-with-a-very-long-name-indeed\n                      192.0.2.10\n", []HostIP{row("192.0.2.10", "a-client-with-a-very-long-name-indeed")}},
		"blanks in a name":   {"payment gateway east        192.0.2.10\n", []HostIP{row("192.0.2.10", "payment gateway east")}},
		"quotes, CRLF":       {"\"web1\"   192.0.2.10\r\n", []HostIP{row("192.0.2.10", "web1")}},
		"none":               {"There are no mappings.\n", nil},
		"none, otherwise":    {"No clients are mapped.\n", nil},
		"unmapped beside":    {"web1   -\nweb2   192.0.2.11\n", []HostIP{row("192.0.2.11", "web2")}},
	} {
		got, err := ParseHostIPs(c.text)
		if diff := cmp.Diff(c.want, got, cmpopts.EquateComparable(netip.Addr{})); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
	}
}

// What cannot be read for certain is no answer, least of all "nothing is mapped".
func TestParseHostIPsRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":          "",
		"something else":   "The appliance is being updated.\n",
		"a nameless row":   "web1   192.0.2.10\n\n192.0.2.11\n",
		"a label alone":    "IP Address: 192.0.2.11\n",
		"a glued address":  "web1   192.0.2.10\nweb2:192.0.2.11\n",
		"two addresses":    "web1   192.0.2.10   192.0.2.11\n",
		"a head, no table": "Client Name      IP Address\n",
	} {
		got, err := ParseHostIPs(text)
		var shape *transport.Error
		if !errors.As(err, &shape) || shape.Class != transport.ClassProtocol {
			t.Errorf("%s: %v %v", name, got, err)
		}
	}
}

// The words of `client hostip map` are not known either; what they are taken
// for is on the safe side.
func TestHostIPWords(t *testing.T) {
	line := Cmd("client", "hostip", "map").Flag("-client", "web1").Flag("-ip", "192.0.2.10")
	if line.String() != "client hostip map -client web1 -ip 192.0.2.10" {
		t.Errorf("%q", line)
	}
	for text, want := range map[string]error{
		"'client hostip map' successful.":       nil,
		"Success: web1 is mapped to 192.0.2.10": nil,
		"The mapping was added successfully.":   nil,
		"done":                                  ErrUnproven,
		"The client is already mapped.":         ErrAlreadyMapped,
		"Error:  'client hostip map' failed. (C0000407 : RC_OBJECT_ALREADY_EXISTS)": ErrAlreadyMapped,
		"Error:  A mapping for this client already exists.":                         ErrAlreadyMapped,
		"Error:  Specified client does not exist.":                                  ErrNoSuchClient,
		"Error:  'client hostip map' failed. (C000040A : RC_OBJECT_NOT_IN_LIST)":    ErrNoSuchClient,
		"Error:  Unknown command : client. Use 'help' to see what there is.":        ErrNotAllowed,
		"Error:  The HSM Admin must be logged in to use this command.":              ErrNeedsLogin,
	} {
		err := reply{text: text, code: 0}.confirm("hsm", line, hostipMap)
		if want == nil && err != nil || !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", text, err, want)
		}
	}
}

// The command that is missing is named by itself, without what was sent with it.
func TestTheMissingRightIsNamed(t *testing.T) {
	line := Cmd("client", "register").Flag("-client", "web1").Flag("-ip", "192.0.2.10")
	err := reply{text: "Error:  Unknown command : client", code: 65535}.confirm("admin@hsm", line, clientRegister)
	if want := "admin@hsm: this user lacks the right to `client register`; the appliance said: Error: Unknown command : client"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// mappedHosts and mappedHost are the two commands over the wire, for replays.
func mappedHosts(want ...string) replay {
	return replay{want: want, call: func(ctx context.Context, a Appliance) (any, error) {
		rows, err := a.HostIPs(ctx)
		var said []string
		for _, r := range rows {
			said = append(said, strings.Join(r.Names, "|")+" "+r.Address.String())
		}
		return said, err
	}}
}

func mappedHost() replay {
	return replay{want: true, call: func(ctx context.Context, a Appliance) (any, error) {
		return true, a.MapHostIP(ctx, "web1", "192.0.2.17")
	}}
}

// Whatever stands around them, no address of an answer that is understood is
// lost, and none is made up.
func FuzzParseHostIPs(f *testing.F) {
	for _, seed := range []string{
		"web1   192.0.2.10\nweb2\t2001:db8::7\n", "Client: web1 IP: 192.0.2.10\n", "web1 is mapped to 192.0.2.10.\n",
		"ClientID: web1\nIPAddress: 192.0.2.10\n\n", "There are no mappings.\n", "| a | 192.0.2.1 |\n|---|---|\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		rows, err := ParseHostIPs(text)
		if err != nil {
			return
		}
		count := 0
		for _, w := range strings.Fields(text) {
			if _, err := netip.ParseAddr(w); err == nil {
				count++
			}
		}
		if count > len(rows) {
			t.Errorf("%d addresses, %d rows: %q", count, len(rows), text)
		}
		for _, r := range rows {
			if len(r.Names) == 0 || !r.Address.IsValid() || !strings.Contains(strings.ToLower(text), strings.ToLower(r.Names[0])) {
				t.Errorf("%+v of %q", r, text)
			}
		}
	})
}
