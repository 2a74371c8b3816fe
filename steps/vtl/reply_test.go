package vtl

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/transport"
)

// samples are the sample replies with their head removed, by name.
func samples(t testing.TB) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob("../../fixtures/transcripts/client/vtl-*.txt")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, path := range paths {
		data, err := os.ReadFile(path) //nolint:gosec // a path of this repository
		if err != nil {
			t.Fatal(err)
		}
		_, body, ok := bytes.Cut(data, []byte("\n----\n"))
		if !ok {
			t.Fatalf("%s: no head", path)
		}
		out[strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), "vtl-"), ".txt")] = body
	}
	if len(out) < 25 {
		t.Fatalf("only %d sample replies found", len(out))
	}
	return out
}

// parsers are all parsers with one signature, by the word that they are for.
var parsers = map[string]func(out []byte) (any, error){
	"createcert":  func(out []byte) (any, error) { return ParseCreateCert(out) },
	"addserver":   func(out []byte) (any, error) { return ParseAddServer(out, "198.51.100.201") },
	"listservers": func(out []byte) (any, error) { return ParseListServers(out) },
	"verify":      func(out []byte) (any, error) { return ParseVerify(out) },
}

const nsCert = "/var/safenet/safenet/lunaclient/cert/client/198.51.100.24"

// understood is what the samples say to their own parser; a sample that is not
// here must be refused by it.
var understood = map[string]any{
	"createcert-netscaler-62": Pair{nsCert + "Key.pem", nsCert + ".pem"},
	"createcert-linux-10": Pair{
		"/usr/safenet/lunaclient/cert/client/pay-gw.example.netKey.pem",
		"/usr/safenet/lunaclient/cert/client/pay-gw.example.net.pem",
	},
	"createcert-windows-109": Pair{
		`C:\Program Files\SafeNet\LunaClient\cert\client\ca-hostKey.pem`,
		`C:\Program Files\SafeNet\LunaClient\cert\client\ca-host.pem`,
	},

	"addserver-netscaler-62": Added,
	"addserver-already":      AlreadyRegistered,

	"listservers-netscaler-62": []string{"198.51.100.201"},
	"listservers-three-62":     []string{"198.51.100.201", "hsm-b.example.net", "198.51.100.203"},
	"listservers-5x":           []string{"198.51.100.201", "198.51.100.202"},
	"listservers-colon-apart":  []string{"hsm-a.example.net", "hsm-b.example.net"},
	"listservers-empty-10":     []string{},
	"listservers-empty-banner": []string{},

	"verify-5x-container":        Verified{Slots: []Slot{{"1", "640087001", "invoices"}, {"2", "640087002", "archive"}}},
	"verify-5x-no-blank-line":    Verified{Slots: []Slot{{"1", "220904417733", "Acme-Signing"}}},
	"verify-netscaler-62":        Verified{Slots: []Slot{{"0", "412877003", "tls-edge"}}},
	"verify-netscaler-62-crlf":   Verified{Slots: []Slot{{"0", "412877003", "tls-edge"}}},
	"verify-63-compact":          Verified{Slots: []Slot{{"0", "702114009", "signing"}}},
	"verify-tabs-6":              Verified{Slots: []Slot{{"0", "702114009", "signing"}, {"1", "702114010", ""}, {"2", "702114011", "Code Signing  (old)"}}},
	"verify-103-banner":          Verified{Slots: []Slot{{"0", "1408823117264", "CA-ROOT"}}},
	"verify-109-linux":           Verified{Slots: []Slot{{"0", "1408823117264", "CA-ROOT"}, {"1", "1408823117265", ""}, {"2", "1511007652310", "Payment Keys 2"}, {"3", "1511007652311", "tls"}}},
	"verify-windows-no-sentence": Verified{Slots: []Slot{{"0", "1408823117264", "CA-ROOT"}}},
	"verify-dash-slot":           Verified{Slots: []Slot{{"-", "412877003", "tls-edge"}, {"0", "412877004", "spare"}}},
	"verify-no-slots":            Verified{Reason: "Unable to find any Luna SA slots/partitions among registered servers."},
	"verify-no-servers":          Verified{Reason: "There are no registered servers"},
}

func TestSamples(t *testing.T) {
	all := samples(t)
	for name := range understood {
		if all[name] == nil {
			t.Errorf("no sample %q", name)
		}
	}
	for name, out := range all {
		word, _, _ := strings.Cut(name, "-")
		parse := parsers[word]
		if parse == nil {
			continue
		}
		t.Run(name, func(t *testing.T) {
			got, err := parse(out)
			want, ok := understood[name]
			if !ok {
				if err == nil {
					t.Fatalf("understood as %v", got)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestSamplesInOtherClothes changes what must not matter: line ends, blanks
// around lines, lines of others before the reply.
func TestSamplesInOtherClothes(t *testing.T) {
	clothes := map[string]func(string) string{
		"CR LF":    func(s string) string { return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\r\n") },
		"LF":       func(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") },
		"indented": func(s string) string { return "\t  " + strings.ReplaceAll(s, "\n", "\n\t  ") },
		"banner": func(s string) string {
			return "vtl (64-bit) v10.7.2-16. Copyright (c) 2024 Thales Group. All rights reserved.\n\n" + s
		},
		"prompt":   func(s string) string { return "root@adc# vtl something\n" + s },
		"cut end":  func(s string) string { return strings.TrimRight(s, "\r\n") },
		"more end": func(s string) string { return s + "\n\n" },
	}
	for name, out := range samples(t) {
		want, ok := understood[name]
		if !ok {
			continue
		}
		word, _, _ := strings.Cut(name, "-")
		for kind, change := range clothes {
			got, err := parsers[word]([]byte(change(string(out))))
			if err != nil {
				t.Errorf("%s, %s: %v", name, kind, err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, %s (-want +got):\n%s", name, kind, diff)
			}
		}
	}
}

// TestForeignReplies: no parser takes the reply to another word for its own.
func TestForeignReplies(t *testing.T) {
	for name, out := range samples(t) {
		own, _, _ := strings.Cut(name, "-")
		if own == "trace" { // holds three replies
			continue
		}
		for word, parse := range parsers {
			// An error of vtl is an answer of verify, and an empty list said in
			// verify's words is one too.
			if word == own || word == "verify" && bytes.Contains(out, []byte("Error:")) || name == "verify-no-servers" {
				continue
			}
			if got, err := parse(out); err == nil {
				t.Errorf("%s was read by the parser of %s as %v", name, word, got)
			}
		}
	}
}

func TestThreeRepliesInOne(t *testing.T) {
	out := samples(t)["trace-three-words-63"]
	const path = "/usr/safenet/lunaclient/cert/client/203.0.113.77"
	if got, err := ParseCreateCert(out); err != nil || got != (Pair{path + "Key.pem", path + ".pem"}) {
		t.Errorf("ParseCreateCert = %v, %v", got, err)
	}
	if got, err := ParseAddServer(out, "203.0.113.8"); err != nil || got != Added {
		t.Errorf("ParseAddServer = %v, %v", got, err)
	}
	want := Verified{Slots: []Slot{{"0", "702114009", "signing"}}}
	got, err := ParseVerify(out)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("ParseVerify: %v\n%s", err, diff)
	}
}

func TestErrorsAreClassified(t *testing.T) {
	tests := []struct {
		name, out string
		class     transport.Class
		holds     string
	}{
		{"silence", "", transport.ClassProtocol, "said nothing"},
		{"blank lines", "\r\n \n", transport.ClassProtocol, "said nothing"},
		{"not found", "vtl: not found\n", transport.ClassProtocol, "vtl: not found"},
		{"vtl's own words", "Error: disk \x1b[31mfull\n", transport.ClassRemote, "disk full"},
		{"endless", strings.Repeat("grüße ", 1000), transport.ClassProtocol, "…"},
	}
	for _, tt := range tests {
		for word, parse := range parsers {
			if word == "verify" && tt.class == transport.ClassRemote {
				continue
			}
			_, err := parse([]byte(tt.out))
			if class(err) != tt.class || !strings.Contains(err.Error(), tt.holds) || len(err.Error()) > 500 {
				t.Errorf("%s: %s: %v; want class %s and %q", word, tt.name, err, tt.class, tt.holds)
			}
			if err != nil && strings.ContainsAny(err.Error(), "\x1b\r\n") {
				t.Errorf("%s: %s: not printable: %q", word, tt.name, err)
			}
		}
	}
}
