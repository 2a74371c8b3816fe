package vtl

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseCreateCertRefuses(t *testing.T) {
	const key, cert = "Private Key created and written to: /c/aKey.pem\n", "Certificate created and written to: /c/a.pem\n"
	if got, err := ParseCreateCert([]byte("PRIVATE KEY created and written to:/c/aKey.pem\n" + cert)); err != nil || got != (Pair{"/c/aKey.pem", "/c/a.pem"}) {
		t.Fatalf("another spelling: %v, %v", got, err)
	}
	for _, out := range []string{
		key, cert, key + key + cert, key + cert + cert,
		key + "Certificate created and written to: \n",
		"Private Key created and written to:\n" + cert,
		key + cert + "Error: cannot update the configuration\n",
		"A " + key + cert,
	} {
		if got, err := ParseCreateCert([]byte(out)); err == nil {
			t.Errorf("ParseCreateCert(%q) = %v", out, got)
		}
	}
}

func TestParseAddServer(t *testing.T) {
	tests := []struct {
		out, name string
		want      Outcome
	}{
		{"New server web1 successfully added to server list.\n", "web1", Added},
		{"New server WEB1 successfully added to server list.\n", "web1", Added},
		{"new server web1  successfully added to server list.\r\n", "web1", Added},
		{"New server web10 successfully added to server list.\n", "web1", ""},
		{"New server web1 successfully added to server list.\n", "web10", ""},
		{"New server web1 not added.\n", "web1", ""},
		{"New server web1\n", "web1", ""},
		{"New server web1 successfully added to server list.\nError: CAFile.pem is read-only\n", "web1", ""},
		{"This server is already registered.\n", "web1", AlreadyRegistered},
		{"Error: This server is already registered\n", "web1", AlreadyRegistered},
		{"vtl: this server is already registered with another certificate\n", "web1", AlreadyRegistered},
		{"New server web1 successfully added to server list.\nThis server is already registered.\n", "web1", ""},
		{"This server is not already registered\n", "web1", ""},
		{"", "web1", ""},
	}
	for _, tt := range tests {
		got, err := ParseAddServer([]byte(tt.out), tt.name)
		if got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("ParseAddServer(%q, %q) = %q, %v; want %q", tt.out, tt.name, got, err, tt.want)
		}
	}
}

func TestParseListServers(t *testing.T) {
	tests := []struct {
		out  string
		want []string // nil: refused
	}{
		{"Server: a\n", []string{"a"}},
		{"SERVER:a\n", []string{"a"}},
		{"Server\t:\ta\tHTL required:\tno\n", []string{"a"}},
		{"Server: a  htl Required: unknown\n", []string{"a"}},
		{"Server: a\n\nServer: a\n", []string{"a", "a"}},
		{"There are no servers registered\n", []string{}},
		{"Error: There are no registered servers.\n", []string{}},
		{"There are no servers registered.\nServer: a\n", nil},
		{"Server: a\nError: cannot read the configuration\n", nil},
		{"Server: a b\n", nil},
		{"Server: a HTL required:\n", nil},
		{"Server: a  OTT required: no\n", nil},
		{"Server: a\nServer:\n", nil},
		{"Server: a\nServer b\n", nil},
		{"Servers: a\n", nil},
		{"my Server: a\n", nil},
		{"There are no servers registered in this country\n", nil},
		{"Server 'a' is not reachable\n", nil},
		{"vtl: not found\n", nil},
		{"", nil},
	}
	for _, tt := range tests {
		got, err := ParseListServers([]byte(tt.out))
		if diff := cmp.Diff(tt.want, got); diff != "" || (err == nil) != (tt.want != nil) {
			t.Errorf("ParseListServers(%q) = %q, %v; want %q", tt.out, got, err, tt.want)
		}
	}
}

func TestParseVerify(t *testing.T) {
	const head = "Slot Serial # Label\n==== ======== =====\n"
	tests := []struct {
		name, out string
		want      *Verified // nil: refused
	}{
		{"one row", head + "0 123 a\n", &Verified{Slots: []Slot{{"0", "123", "a"}}}},
		{"no label", head + "0\t123", &Verified{Slots: []Slot{{"0", "123", ""}}}},
		{"label like a serial", head + "0 123 456\n", &Verified{Slots: []Slot{{"0", "123", "456"}}}},
		{"label with TABs", head + "0 123 a\t b\n", &Verified{Slots: []Slot{{"0", "123", "a\t b"}}}},
		{"label behind a form feed", head + "0 123 \f a\n", &Verified{Slots: []Slot{{"0", "123", "a"}}}},
		{"long slot number", head + "100 123 a\n", &Verified{Slots: []Slot{{"100", "123", "a"}}}},
		{"the same serial twice", head + "0 123 a\n1 123 a\n", &Verified{Slots: []Slot{{"0", "123", "a"}, {"1", "123", "a"}}}},
		{"text behind a blank line", head + "0 123 a\n\nbye\n", &Verified{Slots: []Slot{{"0", "123", "a"}}}},
		{"rows and an error", head + "0 123 a\n\nError: one server is not reachable\n", &Verified{Slots: []Slot{{"0", "123", "a"}}, Reason: "one server is not reachable"}},
		{"error in two lines", "ERROR: no slots\nError: none at all\n", &Verified{Reason: "no slots"}},
		{"escape sequence in the error", "Error: no \x1b[1mslots\x1b[0m\n", &Verified{Reason: "no slots"}},
		{"placeholder row", head + "0 <serial> <label>\n", nil},
		{"letters in the serial", head + "0 12a3 a\n", nil},
		{"no serial", head + "0\n", nil},
		{"slot in words", head + "none 123 a\n", nil},
		{"two dashes", head + "-- 123 a\n", nil},
		{"negative slot", head + "-1 123 a\n", nil},
		{"second row unknown", head + "0 123 a\nand one more\n", nil},
		{"error within the rows", head + "0 123 a\nError: lost\n", nil},
		{"no rows", head, nil},
		{"blank line, then rows", head + "\n0 123 a\n", nil},
		{"no ruler", "Slot Serial # Label\n0 123 a\n", nil},
		{"no ruler, two rows", "Slot Serial # Label\n0 123 a\n1 124 b\n", nil},
		{"blank ruler", "Slot Serial # Label\n\n0 123 a\n", nil},
		{"head at the end", "Slot Serial # Label", nil},
		{"two tables", head + "0 123 a\n\n" + head + "1 124 b\n", nil},
		{"another head", "Slot Label Serial #\n==== ===== ========\n0 a 123\n", nil},
		{"sentence alone", "The following Luna SA Slots/Partitions were found:\n", nil},
		{"error without a text", "Error:\n", nil},
		{"nothing", "", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseVerify([]byte(tt.out))
			if tt.want == nil {
				if err == nil {
					t.Fatalf("understood as %v", got)
				}
				tt.want = &Verified{}
			} else if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(*tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
