package config

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
	"go.yaml.in/yaml/v4"
)

// Who of the two can tell that a file is wrong.
const (
	good     = "both take it"
	bad      = "both refuse it"
	readerly = "the reader alone refuses it: a schema cannot say it"
)

// withClient is frame with something else in the client c.
func withClient(entry string) string {
	return "hsms: {h: {host: a@192.0.2.101}}\nclients: {c: {" + entry + "}}\nlinks: [{client: c, hsm: h, partition: p}]\n"
}

// withHSM is the same for the appliance.
func withHSM(entry string) string {
	return "hsms: {h: {" + entry + "}}\nclients: {c: {host: r@192.0.2.1}}\nlinks: [{client: c, hsm: h, partition: p}]\n"
}

// withLink is frame with one link.
func withLink(entry string) string { return frame + "links: [{" + entry + "}]\n" }

// agreement are files, and who takes them.
func agreement() map[string]string {
	sum := "SHA256:" + strings.Repeat("A", 43)
	all := map[string]string{
		goodFile: good,
		withLink("client: c, hsm: h, partition: p"):                                         good,
		withLink("client: [c, d], hsm: [h], partition: [p, q]"):                             good,
		withLink("client: c, hsm: h, partition: '12'"):                                      good,
		withLink("client: c, hsm: h, partition: p, name: n"):                                good,
		withClient("host: 'r@[2001:db8::1]:22', host_key: '" + sum + "'"):                   good,
		withClient("host: 'r@2001:db8::1'"):                                                 good,
		withClient("host: local, address: web.example, map_host_ip: 192.0.2.9, root: /tmp"): good,
		withClient("host: 192.0.2.1, user: 'CORP\\ops', jump_host: 'g@10.0.0.1:2200,h2'"):   good,
		withHSM("host: a@x, certificate: '" + strings.Repeat("0a:", 31) + "0a'"):            good,
		"defaults: {partitions: p}\n" + withLink("client: c, hsm: h"):                       good,
		"groups: {g: [c, d]}\n" + withLink("client: g, hsm: h, partition: p"):               good,

		frame + "link: []\nlinks: [{client: c, hsm: h, partition: p}]\n": bad,
		withLink("client: c, hsm: h, partition: p, password: x"):         bad,
		withLink("client: {}, hsm: h, partition: p"):                     bad,
		frame + "links: {client: c, hsm: h, partition: p}\n":             bad,
		frame + "links: []\n":                                                           bad,
		frame + "links:\n":                                                              bad,
		frame:                                                                           bad,
		withLink("client: c, hsm: h"):                                                   bad,
		withLink("client: c, partition: p"):                                             bad,
		withLink("hsm: h, partition: p"):                                                bad,
		withLink("client: [], hsm: h, partition: p"):                                    bad,
		withLink("client: c, hsm: [], partition: p"):                                    bad,
		withLink("client: c, hsm: h, partition: []"):                                    bad,
		withLink("client: c, hsm: h, partition: [p, p]"):                                bad,
		withLink("client: c, hsm: h, partition: 12"):                                    bad,
		withLink("client: c, hsm: h, partition: true"):                                  bad,
		withLink("client: c, hsm: h, partition: 2001-01-01"):                            bad,
		withLink("client: c, hsm: h, partition: 'a b'"):                                 bad,
		withLink("client: c, hsm: h, partition: '-x'"):                                  bad,
		withLink("client: c, hsm: h, partition: ''"):                                    bad,
		withLink("client: c, hsm: h, partition: p, name: 'n;m'"):                        bad,
		"groups: {g: []}\n" + withLink("client: c, hsm: h, partition: p"):               bad,
		"groups: {'g*': [c]}\n" + withLink("client: c, hsm: h, partition: p"):           bad,
		"defaults: {partitions: []}\n" + withLink("client: c, hsm: h"):                  bad,
		"defaults:\n" + withLink("client: c, hsm: h, partition: p"):                     bad,
		"hsms: {}\nclients: {}\nlinks: [{client: c, hsm: h, partition: p}]\n":           bad,
		"hsms: {h: {}}\nclients: {c: {}}\nlinks: [{client: c, hsm: h, partition: p}]\n": bad,
		withClient("host: 12345"):                                                       bad,
		withClient("host: r@192.0.2.1, port: '22'"):                                     bad,
		withClient("host: r@192.0.2.1, port: 70000"):                                    bad,
		withClient("host: r@192.0.2.1, port: 22.5"):                                     bad,
		withClient("host: 'we b'"):                                                      bad,
		withClient("host: '-x'"):                                                        bad,
		withClient("host: 'root:secret@192.0.2.1'"):                                     bad,
		withClient("host: 192.0.2.1, user: 'root:secret'"):                              bad,
		withClient("host: 192.0.2.1, jump_host: 'g:secret@10.0.0.1'"):                   bad,
		withClient("host: 192.0.2.1, password_command: ''"):                             bad,
		withClient("host: 192.0.2.1, password_command: ' '"):                            bad,
		withClient("host: 192.0.2.1, password_env: 'A B'"):                              bad,
		withClient("host: 192.0.2.1, password_env: A, password_command: b"):             bad,
		withClient("host: 192.0.2.1, host_key: 'MD5:aa'"):                               bad,
		withClient("host: 192.0.2.1, kind: vax"):                                        bad,
		withClient("host: 192.0.2.1, root: tmp"):                                        bad,
		withClient("host: 192.0.2.1, config_path: 'a b'"):                               bad,
		withClient("host: 192.0.2.1, address: '1.2.3.4;x'"):                             bad,
		withClient("host: w, address: w, map_host_ip: foo bar"):                         bad,
		withClient("host: 192.0.2.1, legacy_ssh: maybe"):                                bad,
		withHSM("host: a@x, certificate: 'SHA256:xyz'"):                                 bad,
		"hsms: {'h/x': {host: a@x}}\nclients: {c: {host: 192.0.2.1}}\nlinks: [{client: c, hsm: 'h/x', partition: p}]\n": bad,

		// A number of YAML is one to the schema however it is written, a merge key is
		// gone before the schema sees the file, and what names what it cannot follow.
		withClient("host: 192.0.2.1, port: 022"):                           readerly,
		withClient("<<: {user: x}, host: 192.0.2.1"):                       readerly,
		withClient("host: 192.0.2.999"):                                    readerly,
		withClient("host: w, address: w, map_host_ip: '::1'"):              readerly,
		withLink("client: x, hsm: h, partition: p"):                        readerly,
		withLink("client: [c, d], hsm: h, partition: p, name: n"):          readerly,
		withLink("client: c, hsm: h, partition: !!str 12"):                 good,
		"groups: {g: [g]}\n" + withLink("client: c, hsm: h, partition: p"): readerly,
		"hsms: {h: {host: a@x}, i: {host: a@x}}\nclients: {c: {host: 192.0.2.1}}\nlinks: [{client: c, hsm: h, partition: p}]\n": readerly,
	}
	return all
}

// What the schema says of a file is what reading it says.
func TestFileSchemaAgrees(t *testing.T) {
	var s jsonschema.Schema
	if err := json.Unmarshal(FileSchema, &s); err != nil {
		t.Fatal(err)
	}
	r, err := s.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	for text, who := range agreement() {
		var v any
		if err := yaml.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		file, env := house(t, text)
		_, read := Validate(file, env)
		if schema := r.Validate(v); (schema == nil) != (who != bad) || (read == nil) != (who == good) {
			t.Errorf("%s\n%s\nthe schema says %v\nreading says %v", text, who, schema, read)
		}
	}
}
