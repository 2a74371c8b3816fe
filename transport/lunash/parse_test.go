package lunash

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/fixtures/transcripts"
)

func TestParseClients(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     []string
	}{
		{"rows", "registered client 1: web1\nregistered client 2: web10\n", []string{"web1", "web10"}},
		{"blanks and colons in names", "registered client 1: pay east: old\n", []string{"pay east: old"}},
		{"no blank after the colon", "registered client 1:web1\n", []string{"web1"}},
		{"indented, CRLF, trailing blanks", "   registered client 1: web1  \r\n\r\n", []string{"web1"}},
		{"two rows joined by a tab", "registered client 1: a\tregistered client 2: b c\n", []string{"a", "b c"}},
		{"a name that quotes a row", "registered client 1: registered client 2: x\n", []string{"registered client 2: x"}},
		{"a name like an error", "registered client 1: Error: no\n", []string{"Error: no"}},
		{"none", "\nNo clients are registered.\n", nil},
		{"none, other words", "There are no registered clients.", nil},
		{"a name that denies itself", "registered client 1: No clients are registered.\n", []string{"No clients are registered."}},
		{"no line end", "registered client 7: last", []string{"last"}},
	} {
		got, err := ParseClients(c.in)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

func TestParseClient(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     Client
	}{
		{"by address", "ClientID:     web1\nIPAddress:    192.0.2.1\nPartitions:   \"p1\"\n",
			Client{Name: "web1", Address: "192.0.2.1", Partitions: []string{"p1"}}},
		{"by host name, with more lines", "ClientID: a b\nHostname: w.example\nHTL Required: no\nOTT Expiry: n/a\nPartitions: <none>\n",
			Client{Name: "a b", Address: "w.example", ByHostname: true}},
		{"other spelling", "  Client ID : web1\r\n  IP Address : 2001:db8::1\r\n  Partitions : \"p 1\" , \"p2\"\r\n",
			Client{Name: "web1", Address: "2001:db8::1", Partitions: []string{"p 1", "p2"}}},
		{"both address lines", "ClientID: w\nHostname: w.example\nIPAddress: 192.0.2.1\nPartitions:\n",
			Client{Name: "w", Address: "192.0.2.1"}},
		{"names without quotes", "ClientID: w\nHostname: w\nPartitions: p1, p2\n",
			Client{Name: "w", Address: "w", ByHostname: true, Partitions: []string{"p1", "p2"}}},
		{"a list over lines, without commas", "ClientID: w\nHostname: w\nPartitions: \"p1\"\n   \"p2\"\n",
			Client{Name: "w", Address: "w", ByHostname: true, Partitions: []string{"p1", "p2"}}},
		{"a comma in a name", "ClientID: w\nHostname: w\nPartitions: \"p, 1\",\"p2\"\n",
			Client{Name: "w", Address: "w", ByHostname: true, Partitions: []string{"p, 1", "p2"}}},
	} {
		got, err := ParseClient(c.in)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

func TestParseDigest(t *testing.T) {
	hex := func(n int, sep string) string {
		return strings.TrimSuffix(strings.Repeat("aB"+sep, n), sep)
	}
	low := func(n int) string { return strings.Repeat("ab", n) }
	for _, c := range []struct {
		name, in string
		want     Digest
	}{
		{"MD5", "Certificate fingerprint: " + hex(16, ":"), Digest{"MD5", low(16), hex(16, ":")}},
		{"SHA-1 without colons", "Certificate fingerprint: " + hex(20, ""), Digest{"SHA-1", low(20), hex(20, "")}},
		{"SHA-256 with blanks", "Certificate Fingerprint:\t" + hex(32, " ") + " \r\n", Digest{"SHA-256", low(32), hex(32, " ")}},
		{"on the next line", "Certificate fingerprint (SHA-256):\n\n   " + hex(32, ":") + "\n", Digest{"SHA-256", low(32), hex(32, ":")}},
		{"as openssl prints it", "SHA1 Fingerprint=" + hex(20, ":"), Digest{"SHA-1", low(20), hex(20, ":")}},
		{"labelled", "fingerprint: SHA256 " + hex(32, ":"), Digest{"SHA-256", low(32), "SHA256 " + hex(32, ":")}},
		{"two: the longer one", "MD5 fingerprint: " + hex(16, ":") + "\nSHA256 fingerprint: " + hex(32, ":"), Digest{"SHA-256", low(32), hex(32, ":")}},
		{"unknown length", "Certificate fingerprint: " + hex(24, ":"), Digest{Text: hex(24, ":")}},
		{"base64", "Certificate fingerprint: SHA256:AAAA", Digest{Text: "SHA256:AAAA"}},
		{"not paired", "Certificate fingerprint: a:bc:d", Digest{Text: "a:bc:d"}},
	} {
		got, err := ParseDigest(c.in)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

func TestParsePartitions(t *testing.T) {
	plain := "Partition Name Objects Total Used Free\n=====\n"
	versioned := "Partition Name Version Objects Total Used Free\n====  ===== ==== \n"
	for _, c := range []struct {
		name, in string
		want     []Partition
	}{
		{"rows", plain + "157826004 p1 0 1 0 1\n157826005 p2 0 1 0 1\n", []Partition{{"157826004", "p1"}, {"157826005", "p2"}}},
		{"blank and number in a name", plain + "157826004   pay 2   0 1 0 1\n", []Partition{{"157826004", "pay 2"}}},
		{"a name of digits", plain + "157826004 12345 0 1 0 1\n", []Partition{{"157826004", "12345"}}},
		{"version column", versioned + "1582775433934 p1 0 0 1 0 1\n1582775433935 p 2 1 0 1 0 1\n", []Partition{{"1582775433934", "p1"}, {"1582775433935", "p 2"}}},
		{"blank line after the rule, CRLF", "\r\nName\r\n=====\r\n\r\n157826004 p1 0 1 0 1\r\n", []Partition{{"157826004", "p1"}}},
		{"two rows on a line", plain + "157826004 p1 0 1 0 1\t157826005 p2 0 1 0 1\n", []Partition{{"157826004", "p1"}, {"157826005", "p2"}}},
		{"tabs between columns", plain + "157826004\tp1\t0\t207559\t0\t207559\n", []Partition{{"157826004", "p1"}}},
		{"words below the table", plain + "157826004 p1 0 1 0 1\n\nTotal: 1 of 5 used\n", []Partition{{"157826004", "p1"}}},
		{"none", "   There are no partitions.\n", nil},
		{"none, below a header", plain + "There are no partitions.\n", nil},
	} {
		got, err := ParsePartitions(c.in)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

// What has no known shape is never an empty answer.
func TestParsersRefuseWhatTheyDoNotKnow(t *testing.T) {
	list := func(text string) error { _, err := ParseClients(text); return err }
	show := func(text string) error { _, err := ParseClient(text); return err }
	digest := func(text string) error { _, err := ParseDigest(text); return err }
	partitions := func(text string) error { _, err := ParsePartitions(text); return err }
	for _, c := range []struct {
		name  string
		parse func(string) error
		in    string
	}{
		{"list: nothing", list, ""},
		{"list: blanks", list, " \n\n"},
		{"list: words", list, "Usage: client list"},
		{"list: a row without a name", list, "registered client 1: a\nregistered client 2:  \n"},
		{"list: a partition list", list, transcripts.Appliance("partition-list-5")},
		{"show: nothing", show, ""},
		{"show: no partitions line", show, "ClientID: a\nHostname: a\n"},
		{"show: no address", show, "ClientID: a\nHostname:\nPartitions: <none>\n"},
		{"show: no name", show, "Hostname: a\nPartitions: <none>\n"},
		{"show: a list that is cut", show, "ClientID: a\nHostname: a\nPartitions: \"p1\", \"p\n"},
		{"show: a list that goes on", show, "ClientID: a\nHostname: a\nPartitions: \"p1\",\n"},
		{"show: words behind the list", show, "ClientID: a\nHostname: a\nPartitions: \"p1\" and more\n"},
		{"show: an empty name", show, "ClientID: a\nHostname: a\nPartitions: \"\"\n"},
		{"digest: nothing", digest, ""},
		{"digest: no digest", digest, "Certificate fingerprint:\n\n"},
		{"digest: other words", digest, "AB:CD:EF"},
		{"partitions: nothing", partitions, ""},
		{"partitions: a header alone", partitions, "Partition Name\n=====\n"},
		{"partitions: a row that is cut", partitions, "Name\n=====\n157826004 p1 0 1 0 1\n157826005 p2 0 1\n"},
		{"partitions: a row without a version", partitions, "Version\n=====\n157826004 p1 0 1 0 1\n"},
		{"partitions: no rule", partitions, "157826004 p1 0 1 0 1\n"},
	} {
		err := c.parse(c.in)
		if err == nil {
			t.Errorf("%s: accepted", c.name)
			continue
		}
		if got := classOf(err); got != "protocol" {
			t.Errorf("%s: class %q, want protocol", c.name, got)
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: several lines: %q", c.name, err)
		}
	}
}

func seed(f *testing.F) {
	f.Helper()
	for _, name := range transcripts.Names("appliance") {
		f.Add(readReply(transcripts.Appliance(name), "").text)
	}
}

func FuzzParseClients(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, text string) {
		names, err := ParseClients(text)
		for _, n := range names {
			if n == "" || n != strings.TrimSpace(n) || strings.Contains(n, "\n") || !strings.Contains(text, n) {
				t.Errorf("name %q", n)
			}
		}
		if err == nil && len(names) == 0 && !strings.Contains(strings.ToLower(text), "no ") {
			t.Errorf("an empty list out of %q", text)
		}
	})
}

func FuzzParseClient(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseClient(text)
		if err != nil {
			return
		}
		if c.Name == "" || c.Address == "" {
			t.Errorf("%+v", c)
		}
		for _, p := range c.Partitions {
			if p == "" || strings.ContainsAny(p, "\"\n") {
				t.Errorf("partition %q", p)
			}
		}
	})
}

func FuzzParseDigest(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ParseDigest(text)
		if err != nil {
			return
		}
		size := map[string]int{"": 0, "MD5": 32, "SHA-1": 40, "SHA-256": 64}
		if want, ok := size[d.Algorithm]; !ok || len(d.Sum) != want || strings.Trim(d.Sum, "0123456789abcdef") != "" || d.Text == "" {
			t.Errorf("%+v", d)
		}
	})
}

func FuzzParsePartitions(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, text string) {
		list, err := ParsePartitions(text)
		for _, p := range list {
			if strings.Trim(p.Serial, "0123456789") != "" || len(p.Serial) < 4 || p.Name == "" || strings.Contains(p.Name, "\n") {
				t.Errorf("%+v", p)
			}
		}
		if err == nil && len(list) == 0 && !noPartitions.MatchString(text) {
			t.Errorf("an empty list out of %q", text)
		}
	})
}
