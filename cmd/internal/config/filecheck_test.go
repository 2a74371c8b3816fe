package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// mistakes are what is wrong in a text, one line each, without the file's name.
func mistakes(t *testing.T, text string) []string {
	t.Helper()
	file, env := house(t, text)
	_, err := Validate(file, env)
	var all Mistakes
	if err != nil && !errors.As(err, &all) {
		t.Fatal(err)
	}
	var lines []string
	for _, m := range all {
		lines = append(lines, strings.ReplaceAll(strings.TrimPrefix(m.String(), file+":"), filepath.Dir(file), "DIR"))
	}
	return lines
}

// begin compares the beginnings of lines.
func begin(t *testing.T, got []string, want ...string) {
	t.Helper()
	var cut []string
	for i, line := range got {
		if i < len(want) {
			line = line[:min(len(line), len(want[i]))]
		}
		cut = append(cut, line)
	}
	if diff := cmp.Diff(want, cut); diff != "" {
		t.Errorf("-want +got\n%s\nall:\n%s", diff, strings.Join(got, "\n"))
	}
}

// Every mistake is told at once, in the order of the file, each once: what is
// unknown or could not be read is not missing too.
func TestAllMistakesAtOnce(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"of every kind": {`defaults: {client: {usr: a}}
hsms:
  h1: {host: "admin@192.0.2.101", port: 99999}
  h2: {hostt: x}
clients:
  w1: {host: "root@192.0.2.1", kind: solaris}
  w2: {host: "root@", password: Cnry-geheim}
groups: {g: [nope]}
links:
  - {client: w9, hsm: h9, partition: "-x"}
  - {client: w1}
  - 7
`, []string{
			"1:21: unknown key usr; did you mean user?", "3:41: port 99999 is no number from 1 to 65535", "4:8: unknown key hostt; did you mean host?",
			`6:38: kind "solaris" is none of`, `7:14: host "root@": no host was given`, "7:23: unknown key password; there are ", "8:14: there is no client nope",
			"10:14: there is no client and no group w9", "10:23: there is no hsm h9", `10:38: partition "-x" begins with a dash`,
			"11:5: hsm is missing", "11:5: partition is missing", `12:5: links[2] wants keys with values, and "7" stands here`,
		}},
		"pairs beside others": {`hsms: {h: {host: a@192.0.2.101, kind: x}}
clients:
  c: {host: r@192.0.2.1}
  d: {host: r@192.0.2.2, name: 192.0.2.1}
  e: {host: r@web}
links:
  - {client: [c, d], hsm: [h, g], partition: p}
  - {client: [c, e], hsm: h, partition: p}
`, []string{
			"1:33: unknown key kind", "5:6: address is missing: r@web does not tell what the HSM sees",
			"7:5: c and d (lines 3 and 4) would both be 192.0.2.1 on h", "7:31: there is no hsm g", "8:5: the link of c with h stands in line 7 already",
		}},
		"a section that cannot be read": {"hsms: []\nclients: {c: {host: 192.0.2.1}}\nlinks: [{client: c, hsm: h, partition: p}]\n",
			[]string{"1:7: hsms wants keys with values, and a list stands here"}},
		"a section that is called otherwise": {"hsm: {h: {host: a@x}}\nclients: {c: {host: 192.0.2.1}}\nlinks: [{client: c, hsm: h, partition: p}]\n",
			[]string{"1:1: unknown key hsm; did you mean hsms?"}},
		"sections that are not there": {"links: [{client: c, hsm: h, partition: p}]\n", []string{"1:1: clients is missing", "1:1: hsms is missing"}},
		"sections that are empty":     {"hsms: {}\nclients: {}\nlinks: [{client: c, hsm: h, partition: p}]\n", []string{"1:7: hsms is empty", "2:10: clients is empty"}},
		"a host that may be merged": {"hsms:\n  h: &h {host: a@x}\n  i: {<<: *h, port: 0}\nclients: {c: {host: 192.0.2.1}}\nlinks: [{client: c, hsm: i, partition: p}]\n",
			[]string{"3:7: merge keys (<<) are not taken", "3:21: port 0 is no number"}},
		"a name that is a number": {"hsms: {1: {host: a@x}}\nclients: {c: {host: 192.0.2.1}}\nlinks: [{client: c, hsm: 1, partition: p}]\n",
			[]string{"1:8: a key is a text, and YAML takes 1 for a number; put it in quotes", "3:26: hsm is a text, and YAML takes what stands here for a number"}},
		"an entry that is there twice": {"hsms: {h: {host: a@x}, h: {hots: b@x}}\nclients: {c: {host: 192.0.2.1}}\nlinks: [{client: c, hsm: h, partition: p}]\n",
			[]string{"1:24: h stands in line 1 already"}},
		"a name for several": {frame + "links: [{client: [c, d], hsm: h, partition: p, name: web}]\n", []string{"3:54: name web would be that of several clients"}},
		"by an alias":        {"hsms: {h: {host: a@x}}\nclients:\n  c: &c {host: 192.0.2.1, kind: vax}\n  d: *c\nlinks: [{client: c, hsm: h, partition: p}]\n", []string{`3:33: kind "vax" is none of`, "4:6: d is the same machine as client c in line 3 (192.0.2.1:22)"}},
		"after the end of YAML": {"hsms: {h: {host: a@x}}\nclients:\n\tc: {host: }\nlinks: [{client: x}]\n",
			[]string{"3:1: this is not YAML: a tab stands here, and YAML is indented with blanks alone; nothing else in the file could be checked"}},
		"a second document": {frame + "links: [{client: x, hsm: h, partition: p}]\n---\na: b\n", []string{"3:18: there is no client and no group x", "4:1: a second document begins here"}},
	} {
		t.Run(name, func(t *testing.T) { begin(t, mistakes(t, c.text), c.want...) })
	}
}

// A mistake stands at its key, by the key's name.
func TestPlacesOfMistakes(t *testing.T) {
	for text, want := range map[string]string{
		withClient("host: 192.0.2.1, map_host_ip: 192.0.2.9"):                      "2:45: map_host_ip is for a client that is known by host name, and address 192.0.2.1 is an IP address; leave map_host_ip out",
		withClient("host: w, address: w.x, map_host_ip: foo"):                      `2:51: map_host_ip "foo" is not the IP address of a host`,
		withClient("host: w, address: w.x, map_host_ip: '::1'"):                    `2:51: map_host_ip "::1" is not the IP address of a host`,
		withClient("host: 192.0.2.1, password_file: empty.pass"):                   "2:47: password_file: DIR/empty.pass is empty",
		withClient("host: 192.0.2.1, password_file: /etc"):                         "2:47: password_file: read /etc: is a directory",
		withClient("host: 192.0.2.1, sudo_password_file: /nowhere"):                "2:52: sudo_password_file: open /nowhere: ",
		withClient("host: 192.0.2.1, password_command: ' '"):                       "2:50: password_command is empty",
		withClient("host: 192.0.2.1, password_command: ''"):                        "2:50: password_command is empty",
		withClient("host: 192.0.2.1, config_path: /etc/Chrystoki.conf"):            `2:45: config_path "/etc/Chrystoki.conf" names the file`,
		withClient("host: 192.0.2.1, root: tmp"):                                   `2:38: root "tmp" is not a whole path`,
		withClient("host: w, address: " + strings.Repeat("w", 63) + ".example"):    "2:33: address has 71 characters, and the name in a certificate has room for 64",
		withClient("host: root@192.0.2.999"):                                       `2:21: host "root@192.0.2.999": the host is no IPv4 address`,
		withClient("host: root@192.0.2.999, address: 192.0.2.5"):                   `2:21: host "root@192.0.2.999": the host is no IPv4 address`,
		withClient("host: 192.0.2.1, jump_host: 'g@10.0.0.999'"):                   `2:43: host "g@10.0.0.999": the host is no IPv4 address`,
		withClient("host: '192.0.2.1', port: 22, user: 'a b'"):                     "2:50: user has a blank",
		withClient("host: 192.0.2.1, user: 'root:x'"):                              "2:38: user has a colon, and what follows it may be a password; passwords come by password_file",
		withHSM("host: a@192.0.2.999"):                                             `1:18: host "a@192.0.2.999": the host is no IPv4 address`,
		withHSM("host: 'a@fe80::1%eth0'"):                                          `1:18: the host "fe80::1%eth0" has a character`,
		"defaults: {hsm: {password_file: empty.pass}}\n" + withHSM("host: a@x"):    "1:33: password_file: DIR/empty.pass is empty",
		"groups: {a: [b], b: [c]}\n" + withLink("client: a, hsm: h, partition: p"): "1:14: b is a group, and groups do not nest: name its clients",
		"groups: {a: [b], b: [a]}\n" + withLink("client: c, hsm: h, partition: p"): "1:14: b is a group, and groups do not nest: name its clients",
		"groups: {a: a}\n" + withLink("client: a, hsm: h, partition: p"):           "1:13: a is a group, and groups do not nest: name its clients",
		"groups: {a: []}\n" + withLink("client: a, hsm: h, partition: p"):          "1:13: a is empty",
		"groups: {a: [x]}\n" + withLink("client: a, hsm: h, partition: p"):         "1:14: there is no client x",
		withLink("client: c, hsm: h, partition: [p1, p1]"):                         "3:45: p1 stands twice in this list",
		withLink("client: c, hsm: h, partition: !!python/object:os.system p"):      "3:40: tags are not taken, and !!python/object:os.system stands here",
		frame + "links: {client: c, hsm: h, partition: p}\n":                       "3:8: links wants a list, and a set of keys stands here",
	} {
		file, _ := house(t, "")
		if err := os.WriteFile(filepath.Join(filepath.Dir(file), "empty.pass"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		// The paths in the text are relative to the file's own directory.
		text = strings.ReplaceAll(text, "empty.pass", filepath.Join(filepath.Dir(file), "empty.pass"))
		got := mistakes(t, text)
		for i := range got {
			got[i] = strings.ReplaceAll(got[i], filepath.Dir(file), "DIR")
		}
		if len(got) == 2 && strings.Contains(want, "b is a group") {
			got = got[:1] // a circle is told at both
		}
		begin(t, got, want)
	}
}

// What might be a password in clear is refused and not shown.
func TestSecretsInClear(t *testing.T) {
	const secret = "Cnry-geheim"
	for _, text := range []string{
		withClient("host: 'root:" + secret + "@192.0.2.1'"),
		withClient("host: 'ssh://root:" + secret + "@192.0.2.1'"),
		withClient("host: 'root:x@" + secret + "@192.0.2.1'"),
		withClient("host: 'root:" + secret + "'"),
		withClient("host: 192.0.2.1, user: 'root:" + secret + "'"),
		withClient("host: 192.0.2.1, user: 'root " + secret + "'"),
		withClient("host: 192.0.2.1, jump_host: 'h,gate:" + secret + "@10.0.0.1'"),
		withClient("host: 192.0.2.1, jump_host: 'gate:" + secret + ",x@10.0.0.1'"),
		withClient("host: 192.0.2.1, password_env: '" + secret + "'"),
		withClient("host: 192.0.2.1, password_env: A, passwd: " + secret),
		withHSM("host: 'admin:" + secret + "@192.0.2.101'"),
		"defaults: {hsm: {user: 'admin:" + secret + "'}}\n" + withHSM("host: 192.0.2.101"),
	} {
		got := mistakes(t, text)
		if len(got) == 0 || strings.Contains(strings.Join(got, "\n"), secret) {
			t.Errorf("%s%q", text, got)
		}
	}
	for _, f := range []Flags{
		{Client: "root:" + secret + "@192.0.2.1", HSM: "a@192.0.2.101", Partitions: []string{"p"}},
		{Client: "root@192.0.2.1", HSM: "a:" + secret + "@192.0.2.101", Partitions: []string{"p"}},
	} {
		_, err := resolveFile(t, f, session())
		if err == nil || strings.Contains(fmt.Sprintf("%v %+v", err, err), secret) || !strings.Contains(err.Error(), "has a colon") || !strings.HasPrefix(err.Error(), "--") {
			t.Errorf("%v", err)
		}
	}
}

// A file of many links is read, and one of many mistakes says how many.
func TestThousandsOfLinks(t *testing.T) {
	var text strings.Builder
	text.WriteString("hsms: {h: {host: a@192.0.2.101}}\nclients:\n")
	const many = 3000
	for i := range many {
		fmt.Fprintf(&text, "  c%d: {host: r@10.1.%d.%d}\n", i, i/250, i%250+1)
	}
	text.WriteString("links:\n")
	for i := range many {
		fmt.Fprintf(&text, "  - {client: c%d, hsm: h, partition: p}\n", i)
	}
	if got := mistakes(t, text.String()); len(got) != 0 {
		t.Errorf("%q", got[:min(len(got), 3)])
	}
	got := mistakes(t, frame+"links:\n"+strings.Repeat("  - {client: x, hsm: h, partition: p}\n", 5000))
	if len(got) != 1001 || !strings.HasSuffix(got[1000], "4000 mistakes more, from here on") {
		t.Errorf("%d, the last is %q", len(got), got[len(got)-1])
	}
}

// ~ in a path of the file is the user's home directory.
func TestHomeInAFile(t *testing.T) {
	file, env := house(t, withClient("host: r@192.0.2.1, password_file: ~/root.pass"))
	got, err := resolveFile(t, Flags{File: file}, env)
	if err != nil || len(got) != 1 || !strings.Contains(got[0], " root-secret ") {
		t.Errorf("%q, %v", got, err)
	}
}
