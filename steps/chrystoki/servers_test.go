package chrystoki

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestServers(t *testing.T) {
	tests := map[string][]Server{
		"netscaler-62":         {{0, "198.51.100.201", 1792, "0"}},
		"fresh-install":        nil,
		"no-client-section":    nil,
		"ha-aligned":           {{0, "hsm-a.example.net", 1792, "0"}, {1, "hsm-b.example.net", 1792, "0"}},
		"two-servers-no-htl":   {{0, "203.0.113.8", 1792, ""}, {1, "203.0.113.18", 1792, ""}},
		"values-right-aligned": {{0, "hsm-a.example.net", 1792, ""}},
		"comments":             {{0, "hsm-a.example.net", 1792, "0"}},
		"gaps":                 {{1, "hsm-b.example.net", 1792, ""}, {2, "hsm-c.example.net", 0, ""}},
	}
	for name, want := range tests {
		if diff := cmp.Diff(want, mustParse(t, string(sample(t, name))).Servers()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestServersReadsNumbers(t *testing.T) {
	f := mustParse(t, `lunasa client = {
 SERVERNAME10 = ten; ServerName9 = nine; ServerName002 = two;
 ServerName = none; ServerName1234 = none; ServerNameX1 = none; ServerName-1 = none; ServerName1x = none;
 servername03 = three; ServerPort03 = 65535; ServerPort9 = 65536; ServerPort10 = -1; ServerPort002 = 0x10;
}
Misc = {
 ServerName01 = elsewhere;
}
`)
	want := []Server{{2, "two", 0, ""}, {3, "three", 65535, ""}, {9, "nine", 0, ""}, {10, "ten", 0, ""}}
	if diff := cmp.Diff(want, f.Servers()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestAddServerToSamples names the line after which the new lines stand, and
// the new lines.
func TestAddServerToSamples(t *testing.T) {
	tests := []struct{ sample, behind, lines string }{
		{"netscaler-62", "   ServerHtl00 = 0;\n", "   ServerName01 = hsm-new;\n   ServerPort01 = 1792;\n   ServerHtl01 = 0;\n"},
		{"fresh-install", "   TCPKeepAlive = 1;\n", "   ServerName00 = hsm-new;\n   ServerPort00 = 1792;\n   ServerHtl00 = 0;\n"},
		{"ha-aligned", "  ServerHtl01  = 0;\n", "\n  ServerName02 = hsm-new;\n  ServerPort02 = 1792;\n  ServerHtl02  = 0;\n"},
		{"two-servers-no-htl", "  ServerPort01 = 1792;\n", "  ServerName02 = hsm-new;\n  ServerPort02 = 1792;\n"},
		{"values-right-aligned", "  ServerPort00 = 1792;\n", "  ServerName01 = hsm-new;\n  ServerPort01 = 1792;\n"},
		{"comments", "    ServerHtl00 = 0;\n", "    ServerName01 = hsm-new;\n    ServerPort01 = 1792;\n    ServerHtl01 = 0;\n"},
		{"line-ends-mixed", "  ServerPort00 = 1792;\n", "  ServerName01 = hsm-new;\n  ServerPort01 = 1792;\n"},
		{"bom-crlf", "ca-host.pem;\r\n", "\tServerName00 = hsm-new;\r\n\tServerPort00 = 1792;\r\n\tServerHtl00 = 0;\r\n"},
		{"gaps", "   ServerPort05 = 1792;\n", "   ServerName06 = hsm-new;\n   ServerPort06 = 1792;\n"},
		{"no-client-section", "libCryptoki2_64.so;\n}\n", "\nLunaSA Client = {\n   ServerName00 = hsm-new;\n   ServerPort00 = 1792;\n   ServerHtl00 = 0;\n}\n"},
		{"tight", "PEDTimeout2= 200000; }\n", "\nLunaSA Client = {\n\tServerName00= hsm-new;\n\tServerPort00= 1792;\n\tServerHtl00= 0;\n}\n"},
		{"cloud-secret", "   NetClient = 1;\n", "   ServerName00 = hsm-new;\n   ServerPort00 = 1792;\n   ServerHtl00 = 0;\n"},
	}
	for _, tt := range tests {
		t.Run(tt.sample, func(t *testing.T) {
			before := string(sample(t, tt.sample))
			if n := strings.Count(before, tt.behind); n != 1 {
				t.Fatalf("the line is there %d times", n)
			}
			f := mustParse(t, before)
			if err := f.AddServer("hsm-new", 1792); err != nil {
				t.Fatal(err)
			}
			want := strings.Replace(before, tt.behind, tt.behind+tt.lines, 1)
			if diff := cmp.Diff(want, string(f.Bytes())); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if tt.sample != "tight" {
				if diff := cmp.Diff(lineReader(t, want), f.Entries()); diff != "" {
					t.Errorf("another reader sees other entries (-other +own):\n%s", diff)
				}
			}
			if err := f.AddServer("HSM-new", 1793); err != nil || string(f.Bytes()) != want {
				t.Errorf("adding it again: %v\n%s", err, f.Bytes())
			}
		})
	}
}

func TestAddServerGroupsWithCRLF(t *testing.T) {
	group := "\r\n  ServerName00 = a;\r\n  ServerPort00 = 1792;\r\n"
	f := mustParse(t, "LunaSA Client = {\r\n  NetClient = 1;\r\n"+group+"}\r\n")
	if err := f.AddServer("b", 1792); err != nil {
		t.Fatal(err)
	}
	second := strings.NewReplacer("00", "01", "= a", "= b").Replace(group)
	want := "LunaSA Client = {\r\n  NetClient = 1;\r\n" + group + second + "}\r\n"
	if diff := cmp.Diff(want, string(f.Bytes())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAddServerSeveral(t *testing.T) {
	f := mustParse(t, "LunaSA Client = { NetClient = 1; }\n")
	for i, name := range []string{"a", "b", "c"} {
		if err := f.AddServer(name, 1792+i); err != nil {
			t.Fatal(err)
		}
	}
	want := []Server{{0, "a", 1792, "0"}, {1, "b", 1793, "0"}, {2, "c", 1794, "0"}}
	if diff := cmp.Diff(want, f.Servers()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := string(f.Bytes()); strings.Count(got, "\n") != 1 {
		t.Errorf("a section on one line was torn apart:\n%s", got)
	}
}

func TestAddServerNamesAreWhole(t *testing.T) {
	f := mustParse(t, "LunaSA Client = {\n   ServerName00 = web10;\n   ServerPort00 = 1792;\n}\n")
	if err := f.AddServer("web1", 1792); err != nil {
		t.Fatal(err)
	}
	if got := f.Servers(); len(got) != 2 || got[1].Name != "web1" {
		t.Errorf("servers %v", got)
	}
}

func TestAddServerRefuses(t *testing.T) {
	var full strings.Builder
	full.WriteString("LunaSA Client = {\n")
	for i := range 100 {
		fmt.Fprintf(&full, "   ServerName%02d = hsm%d;\n", i, i)
	}
	full.WriteString("}\n")
	const one = "LunaSA Client = {\n   ServerName00 = a;\n}\n"
	tests := []struct {
		text, name string
		port       int
	}{
		{one, "", 1792},
		{one, "b c", 1792},
		{one, "b\tc", 1792},
		{one, "b;c", 1792},
		{one, "b\nc", 1792},
		{one, "}", 1792},
		{one, strings.Repeat("b", maxLine), 1792},
		{"", "b;c", 1792},
		{one, "b", 0},
		{one, "b", -1},
		{one, "b", 65536},
		{full.String(), "b", 1792},
	}
	for _, tt := range tests {
		f := mustParse(t, tt.text)
		if err := f.AddServer(tt.name, tt.port); err == nil {
			t.Errorf("AddServer(%q, %d) was accepted:\n%s", tt.name, tt.port, f.Bytes())
		}
		if got := string(f.Bytes()); got != tt.text {
			t.Errorf("AddServer(%q, %d) failed and changed the file:\n%s", tt.name, tt.port, got)
		}
	}
}
