package chrystoki

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRoundTrip(t *testing.T) {
	for name, data := range samples(t, false) {
		t.Run(name, func(t *testing.T) {
			f := mustParse(t, string(data))
			if diff := cmp.Diff(string(data), string(f.Bytes())); diff != "" {
				t.Errorf("bytes changed (-have +got):\n%s", diff)
			}
			if len(f.Entries()) == 0 {
				t.Error("no entries found")
			}
			if name == "tight" {
				return
			}
			if diff := cmp.Diff(lineReader(t, string(data)), f.Entries()); diff != "" {
				t.Errorf("another reader sees other entries (-other +own):\n%s", diff)
			}
		})
	}
}

func TestEntriesOfTightFile(t *testing.T) {
	f := mustParse(t, string(sample(t, "tight")))
	want := []Entry{
		{"CardReader", "LunaG5Slots", "0"},
		{"CardReader", "LunaG7Slots", "0"},
		{"Misc", "PE1746Enabled", "0"},
		{"Misc", "ToolsDir", "/usr/safenet/lunaclient/bin"},
		{"Luna", "DefaultTimeOut", "500000"},
		{"Luna", "PEDTimeout1", "100000"},
		{"Luna", "PEDTimeout2", "200000"},
	}
	if diff := cmp.Diff(want, f.Entries()); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}

func TestGet(t *testing.T) {
	tests := []struct {
		sample, section, key string
		want                 string
		ok                   bool
	}{
		{"netscaler-62", "LunaSA Client", "HtlDir", "/var/safenet/safenet/lunaclient/htl/", true},
		{"netscaler-62", "lunasa CLIENT", "htldir", "/var/safenet/safenet/lunaclient/htl/", true},
		{"netscaler-62", " LunaSA Client\t", " HtlDir ", "/var/safenet/safenet/lunaclient/htl/", true},
		{"netscaler-62", "LunaSAClient", "HtlDir", "", false},
		{"netscaler-62", "LunaSA Client", "Htl", "", false},
		{"netscaler-62", "Misc", "HtlDir", "", false},
		{"netscaler-62", "Secure Trusted Channel", "SoftTokenDir", "", false},
		{"netscaler-62", "", "", "", false},
		{"fresh-install", "Luna", "PEDTimeout3", "20000", true},
		{"values-right-aligned", "HAConfiguration", "reconnAtt", "20", true},
		{"ha-aligned", "HASynchronize", "ha-signing", "1", true},
		{"ha-aligned", "HASynchronize", "HA-Signing", "0", true},
		{"ha-aligned", "HASynchronize", "Payment Keys 2", "1", true},
		{"ha-aligned", "HASynchronize", "payment keys 2", "", false},
		{"ha-aligned", "VirtualToken", "VirtualToken00Members", "640087001,702114009", true},
		{"ha-aligned", "HAConfiguration", "haLogStatus", "enabled", true},
		{"gaps", "LunaSA Client", "ServerHtl01", "", true},
		{"gaps", "LunaSA Client", "ServerHtl02", "", false},
		{"bom-crlf", "LunaSA Client", "NetClient", "1", true},
		{"bom-crlf", "LunaSA Client", "ClientCertFile", `C:\Program Files\SafeNet\LunaClient\cert\client\ca-host.pem`, true},
		{"cloud-secret", "REST", "AuthTokenConfigURI", "https://auth.example.net/.well-known/config?a=b#top", true},
		{"cloud-secret", "LunaSA Client", "NetClient", "1", true},
		{"comments", "LunaSA Client", "ServerName00", "hsm-a.example.net", true},
		{"comments", "LunaSA Client", "ServerName09", "", false},
		{"comments", "LunaSA Client", "# ServerName09", "", false},
		{"comments", "Chrystoki2", "LibUNIX64", "/usr/safenet/lunaclient/lib/libCryptoki2_64.so", true},
	}
	for _, tt := range tests {
		got, ok := mustParse(t, string(sample(t, tt.sample))).Get(tt.section, tt.key)
		if got != tt.want || ok != tt.ok {
			t.Errorf("%s: Get(%q, %q) = %q, %v; want %q, %v", tt.sample, tt.section, tt.key, got, ok, tt.want, tt.ok)
		}
	}
}

func TestNamesAreComparedByBytes(t *testing.T) {
	// The Kelvin sign folds to k in Unicode, and all invalid bytes fold alike.
	f := mustParse(t, "A = {\n \xff = 1;\n K = 2;\n}\n")
	for _, key := range []string{"\xfe", "\u212a", "\ufffd"} {
		if got, ok := f.Get("A", key); ok {
			t.Errorf("Get(%q) = %q, want nothing", key, got)
		}
	}
	if got, ok := f.Get("A", "\xff"); !ok || got != "1" {
		t.Errorf("Get(0xff) = %q, %v", got, ok)
	}
}

func TestIdentity(t *testing.T) {
	tests := []struct{ sample, cert, key string }{
		{"netscaler-62", "/var/safenet/safenet/lunaclient/cert/client/198.51.100.24.pem", "/var/safenet/safenet/lunaclient/cert/client/198.51.100.24Key.pem"},
		{"fresh-install", "/usr/safenet/lunaclient/cert/client/ClientNameCert.pem", "/usr/safenet/lunaclient/cert/client/ClientNameKey.pem"},
		{"bom-crlf", `C:\Program Files\SafeNet\LunaClient\cert\client\ca-host.pem`, ""},
		{"no-client-section", "", ""},
	}
	for _, tt := range tests {
		cert, key := mustParse(t, string(sample(t, tt.sample))).Identity()
		if cert != tt.cert || key != tt.key {
			t.Errorf("%s: Identity() = %q, %q; want %q, %q", tt.sample, cert, key, tt.cert, tt.key)
		}
	}
}

func TestFilesStandApart(t *testing.T) {
	data := sample(t, "netscaler-62")
	before := string(data)
	f := mustParse(t, before)
	g, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	clone := g.Clone()
	if err := clone.Set(SectionClient, KeyNetClient, "0"); err != nil {
		t.Fatal(err)
	}
	copied := g.Bytes()
	copied[0], data[1] = 'X', 'X'
	if diff := cmp.Diff(string(f.Bytes()), string(g.Bytes())); diff != "" {
		t.Errorf("the original changed with its clone, its input or its output:\n%s", diff)
	}
	if got, _ := clone.Get(SectionClient, KeyNetClient); got != "0" {
		t.Errorf("the clone has %q", got)
	}
	if err := g.Set(SectionClient, KeyNetClient, "2"); err != nil {
		t.Fatal(err)
	}
	if got, _ := clone.Get(SectionClient, KeyNetClient); got != "0" {
		t.Errorf("the clone changed with its original: %q", got)
	}
}

func TestZeroFile(t *testing.T) {
	var f File
	if got := f.Bytes(); len(got) != 0 {
		t.Errorf("Bytes() = %q", got)
	}
	if got := f.Servers(); len(got) != 0 {
		t.Errorf("Servers() = %v", got)
	}
	if err := f.Set("Misc", "PE1746Enabled", "0"); err != nil {
		t.Fatal(err)
	}
	if got, want := string(f.Bytes()), "Misc = {\n   PE1746Enabled = 0;\n}\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
