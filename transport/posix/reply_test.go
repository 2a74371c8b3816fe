//go:build unix

package posix

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const goodReply = "\n@M ready\n@M 0 ls\n-rw-r--r-- 1 0 0 3 x\n@M end\n@M 0 data\nline\n\n@M end\n@M 1 missing\n\n@M end\n@M done\n"

func TestParseReply(t *testing.T) {
	for name, c := range map[string]struct {
		out  string
		want []string
		err  error
	}{
		"good":                {goodReply, []string{"0 ls -rw-r--r-- 1 0 0 3 x", "0 data line\n", "1 missing "}, nil},
		"banner before":       {"Welcome to adc1\nLast login" + goodReply, []string{"0 ls -rw-r--r-- 1 0 0 3 x", "0 data line\n", "1 missing "}, nil},
		"noise after":         {goodReply + " Done\n", []string{"0 ls -rw-r--r-- 1 0 0 3 x", "0 data line\n", "1 missing "}, nil},
		"another's marks":     {"\n@M ready\n@M 0 data\n@N end\n@N done\n@M end\n@M done\n", []string{"0 data @N end\n@N done"}, nil},
		"marks in a line":     {"\n@M ready\n@M 0 data\nx @M end\n\n@M end\n@M done\n", []string{"0 data x @M end\n"}, nil},
		"nothing asked":       {"\n@M ready\n@M done\n", nil, nil},
		"empty":               {"", nil, errNoShell},
		"no shell":            {"sh: Command not found.\n", nil, errNoShell},
		"mark of another":     {"\n@N ready\n@N done\n", nil, errNoShell},
		"ends after ready":    {"\n@M ready\n", nil, errShort},
		"ends in a mark":      {"\n@M ready\n@M 0 da", nil, errShort},
		"ends in an answer":   {"\n@M ready\n@M 0 ls\nx\n@M end\n@M 0 data\nli", []string{"0 ls x"}, errShort},
		"no last mark":        {"\n@M ready\n@M 0 ls\nx\n@M end\n", []string{"0 ls x"}, errShort},
		"text between":        {"\n@M ready\nhello\n@M done\n", nil, errForeign},
		"number not a number": {"\n@M ready\n@M x ls\n\n@M end\n@M done\n", nil, errForeign},
		"negative number":     {"\n@M ready\n@M -1 ls\n\n@M end\n@M done\n", nil, errForeign},
	} {
		t.Run(name, func(t *testing.T) {
			sections, err := parseReply("@M", []byte(c.out), nil)
			var got []string
			for _, s := range sections {
				got = append(got, fmt.Sprintf("%d %s %s", s.index, s.name, s.data))
			}
			if !errors.Is(err, c.err) {
				t.Errorf("error %v, want %v", err, c.err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What a login shell says late may stand between answers, if it is known to say
// it; any other text may not, and within an answer every line is of the answer.
func TestParseReplyLateWords(t *testing.T) {
	late := func(line string) bool { return line == " Done" || line == "" }
	sections := []string{"0 ls x", "0 data y\n Done"}
	for name, c := range map[string]struct {
		out  string
		want []string
		err  error
	}{
		"behind the first mark": {"\n@M ready\n Done\n@M 0 ls\nx\n@M end\n@M 0 data\ny\n Done\n@M end\n@M done\n", sections, nil},
		"between answers":       {"\n@M ready\n@M 0 ls\nx\n@M end\n\n\n Done\n@M 0 data\ny\n Done\n@M end\n@M done\n", sections, nil},
		"before the last mark":  {"\n@M ready\n@M 0 ls\nx\n@M end\n@M 0 data\ny\n Done\n@M end\n Done\n@M done\n", sections, nil},
		"and no more":           {"\n@M ready\n Done\n", nil, errShort},
		"other words":           {"\n@M ready\n Done it\n@M done\n", nil, errForeign},
	} {
		got, err := parseReply("@M", []byte(c.out), late)
		var words []string
		for _, s := range got {
			words = append(words, fmt.Sprintf("%d %s %s", s.index, s.name, s.data))
		}
		if diff := cmp.Diff(c.want, words); diff != "" || !errors.Is(err, c.err) {
			t.Errorf("%s: %v %s", name, err, diff)
		}
	}
}

// A reply cut anywhere is never taken for a whole one.
func TestParseReplyCut(t *testing.T) {
	for at := range len(goodReply) {
		if _, err := parseReply("@M", []byte(goodReply[:at]), nil); err == nil {
			t.Errorf("cut at %d of %d: no error", at, len(goodReply))
		}
	}
}

func FuzzParseReply(f *testing.F) {
	f.Add(goodReply)
	f.Add("Welcome\n\n@M ready\n@M 0 data\n@M end\n\n@M end\n@M done\n")
	f.Add("\n@M ready\n@M 99999999999999999999 ls\n\n@M end\n")
	f.Fuzz(func(t *testing.T, out string) {
		sections, err := parseReply("@M", []byte(out), nil)
		for _, s := range sections {
			if s.index < 0 || s.name == "" || strings.Contains(string(s.data), "\n@M end\n") {
				t.Errorf("section %+v", s)
			}
		}
		if err == nil && !strings.Contains(out, "@M") {
			t.Error("understood without a mark")
		}
	})
}

func TestParseLs(t *testing.T) {
	for line, want := range map[string]string{
		"-rw-r--r-- 1 0 0 1185 Nov 21 18:20 /etc/Chrystoki.conf":    "-rw-r--r-- 0 0",
		"-rw-r--r--  1 0  0  1185 Nov 21 18:20 /etc/Chrystoki.conf": "-rw-r--r-- 0 0",
		"-r-xr--r--. 1 0 0 1185 Nov 21  2024 /etc/x":                "-r-xr--r-- 0 0",
		"-rw-rw----+ 1 0 42493 1185 Nov 21  2024 /etc/x":            "-rw-rw---- 0 42493",
		"drwxrws--- 2 0 998 4096 Jan  1 00:00 /cert":                "grwxrwx--- 0 998",
		"drwxrwxrwt 9 0 0 4096 Jan  1 00:00 /tmp":                   "trwxrwxrwx 0 0",
		"-rwSr-Sr-T 1 1000 1001 0 Jan  1 00:00 /x":                  "ugtrw-r--r-- 1000 1001",
		"-rwsr-sr-t 1 1000 1001 0 Jan  1 00:00 /x":                  "ugtrwxr-xr-x 1000 1001",
		"---------- 1 4294967294 4294967294 0 Jan 1 00:00 /x":       "---------- 4294967294 4294967294",
	} {
		mode, owner, group, err := parseLs(line)
		if got := fmt.Sprintf("%v %s %s", mode, owner, group); err != nil || got != want {
			t.Errorf("%s: %s, %v, want %s", line, got, err, want)
		}
	}
	for _, line := range []string{
		"", "ls: /x: Permission denied", "-rw-r--r-- 1 root wheel 1 x", "-rw-r--r- 1 0 0 1 x", "-rw-r--r--xx 1 0 0 1 x",
		"-rwzr--r-- 1 0 0 1 x", "-wr-r--r-- 1 0 0 1 x", "-rw-r--r-s 1 0 0 1 x", "-rw-r--r-- 1 0", "-rw-r--r-- 1 -1 0 1 x",
	} {
		if mode, owner, group, err := parseLs(line); err == nil {
			t.Errorf("%q: %v %s %s", line, mode, owner, group)
		}
	}
}

func FuzzParseLs(f *testing.F) {
	f.Add("-rw-r--r-- 1 0 0 1185 Nov 21 18:20 /etc/x")
	f.Add("drwxrws--T+ 2 0 998 4096 Jan  1 00:00 /cert")
	f.Fuzz(func(t *testing.T, line string) {
		mode, owner, group, err := parseLs(line)
		known := fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky
		if err == nil && (mode&^known != 0 || owner == "" || group == "") {
			t.Errorf("%q: %v %q %q", line, mode, owner, group)
		}
	})
}

const freebsdIfconfig = `1/1: flags=8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> metric 0 mtu 1500
	ether 52:54:00:12:34:56
	inet 192.0.2.24 netmask 0xffffff00 broadcast 192.0.2.255
	inet6 fe80::5054:ff:fe12:3456%1/1 prefixlen 64 scopeid 0x1
lo0: flags=8049<UP,LOOPBACK,RUNNING,MULTICAST> metric 0 mtu 1500
	inet 127.0.0.1 netmask 0xff000000
	inet6 ::1 prefixlen 128
`

const oldLinuxIfconfig = `eth0      Link encap:Ethernet  HWaddr 52:54:00:12:34:56
          inet addr:198.51.100.7  Bcast:198.51.100.255  Mask:255.255.255.0
          inet6 addr: 2001:db8::7/64 Scope:Global
`

const ipAddr = `2: eth0: <BROADCAST,MULTICAST,UP> mtu 1500 qdisc mq state UP
    link/ether 52:54:00:12:34:56 brd ff:ff:ff:ff:ff:ff
    inet 198.51.100.7/24 brd 198.51.100.255 scope global eth0
    inet 198.51.100.8/24 scope global secondary eth0
    inet 10.9.0.1 peer 10.9.0.2/32 scope global tun0
    inet6 fe80::1/64 scope link
`

func TestAddresses(t *testing.T) {
	for text, want := range map[string]string{
		freebsdIfconfig:           "192.0.2.24 fe80::5054:ff:fe12:3456 127.0.0.1 ::1",
		oldLinuxIfconfig:          "198.51.100.7 2001:db8::7",
		oldLinuxIfconfig + ipAddr: "198.51.100.7 2001:db8::7 198.51.100.8 10.9.0.1 fe80::1",
		"":                        "",
		"inet":                    "",
		"inet addr:":              "",
		"inet 300.1.1.1 inet6 zz": "",
	} {
		if got := strings.Join(addresses(text), " "); got != want {
			t.Errorf("%.40q: %s, want %s", text, got, want)
		}
	}
}

func FuzzAddresses(f *testing.F) {
	f.Add(freebsdIfconfig)
	f.Add(oldLinuxIfconfig)
	f.Add(ipAddr)
	f.Fuzz(func(t *testing.T, text string) {
		for _, a := range addresses(text) {
			if strings.ContainsAny(a, "%/ \n") {
				t.Errorf("address %q", a)
			}
		}
	})
}

func TestEntries(t *testing.T) {
	for list, want := range map[string][]string{
		".\n..":             {},
		"":                  {},
		".\n..\nb\na b\n.c": {".c", "a b", "b"},
	} {
		if diff := cmp.Diff(want, entries(list)); diff != "" {
			t.Errorf("%q:\n%s", list, diff)
		}
	}
}
