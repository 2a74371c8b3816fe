package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/ssh"

	"ntl-setup/cmd/internal/ui"
	"ntl-setup/fixtures/lab"
	"ntl-setup/fixtures/luna"
)

// poison is one of everything that steers a terminal or hides text in it: CSI,
// OSC, BEL, CR, DEL, C1, bidi overrides, zero width, separators, no UTF-8. The
// colours are none that the program uses.
const poison = "\x1b[45mred\x1b[2J\x1b]0;title\x07\x07a\rb\x08\x7fc\u009b45md\x9b45m\u202erev\u202c\u200b\ufeff\u2028\u2029\u00ad\x00\x1bc\xff\xfe\x1b[45"

// mild is the poison that gets through what only takes clean bytes.
const mild = "a\u009b45mb\u202erev\u202c\u200bc\u00add"

// unsteered fails where a text could steer a terminal or hide something in it.
// Line feeds are the program's own.
func unsteered(t *testing.T, what, text string) {
	t.Helper()
	if !utf8.ValidString(text) {
		t.Errorf("%s: the output is no UTF-8", what)
	}
	for i, r := range text {
		if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029') {
			t.Errorf("%s: %U in the output: …%q…", what, r, text[max(0, i-60):min(len(text), i+60)])
			return
		}
	}
}

// own are the sequences that the program itself uses on a terminal.
var own = regexp.MustCompile("\x1b\\[(?:0|1|2|31|32|33)m|\r\x1b\\[K")

// answering is a client whose sh answers each question of a script by how.
func answering(how func(question string) (name, data string)) func(*door) {
	return func(d *door) {
		d.password(doorPassword)
		d.serve = func(s io.ReadWriter, _, _ string) int {
			script, _ := io.ReadAll(s) // what came is answered
			mark := regexp.MustCompile(`(?m)^mark=(\S+)$`).FindStringSubmatch(string(script))
			if mark == nil {
				return 1
			}
			_, _ = fmt.Fprintf(s, "\n%s ready\n", mark[1])
			for i, q := range regexp.MustCompile(`(?m)^i=\d+\n(.*)$`).FindAllStringSubmatch(string(script), -1) {
				name, data := how(q[1])
				_, _ = fmt.Fprintf(s, "%s %d %s\n%s\n%s end\n", mark[1], i, name, data, mark[1])
			}
			_, _ = fmt.Fprintf(s, "%s done\n", mark[1])
			return 0
		}
	}
}

// saying is a session that says something on either stream and ends.
func saying(text string) func(*door) {
	return func(d *door) {
		d.password(doorPassword)
		d.serve = func(s io.ReadWriter, _, _ string) int { _, _ = io.WriteString(s, text); return 1 }
	}
}

// looking is a client that is sound but for what some questions are answered.
func looking(conf, vtl string, more map[string]string) func(*door) {
	return answering(func(q string) (string, string) {
		for part, data := range more {
			if strings.Contains(q, part) {
				return "problem", data
			}
		}
		switch {
		case strings.HasPrefix(q, "look_system"):
			return "system", poison
		case strings.HasPrefix(q, "look_addresses"):
			return "addresses", "inet " + poison
		case strings.HasPrefix(q, "look_vtl"):
			return "data", vtl
		case strings.HasPrefix(q, "look_dir") && strings.Contains(q, "/usr/safenet/lunaclient/bin"):
			return "names", "vtl\n" + poison
		case strings.HasPrefix(q, "look_file") && strings.Contains(q, "/etc/Chrystoki.conf"):
			return "data", conf
		case strings.HasPrefix(q, "look_processes"):
			return "now", "Sat Nov 21 18:20:36 2026"
		}
		return "missing", ""
	})
}

const soundConf = "LunaSA Client = {\n   NetClient = 1;\n}\n"

// hostileClients are client hosts that mean ill.
func hostileClients() map[string]func(*door) {
	const none = "There are no servers registered.\n"
	return map[string]func(*door){
		"garbage":               saying(poison),
		"garbage of many lines": saying(strings.Repeat(poison+"\n", 1000)),
		"expired, steering":     saying("Your password has expired." + poison),
		"a problem everywhere":  answering(func(string) (string, string) { return "problem", poison }),
		"an unknown answer":     answering(func(string) (string, string) { return "weather" + strings.ReplaceAll(mild, " ", ""), poison }),
		"a clock of poison":     answering(func(string) (string, string) { return "clock", poison }),
		"a mode of poison":      answering(func(string) (string, string) { return "ls", poison }),
		"a configuration":       looking("LunaSA Client = {\n  "+poison+" = x;\n}\n", none, nil),
		"a path":                looking("LunaSA Client = {\n  ServerCAFile = /x"+mild+"/CAFile.pem;\n}\n", none, nil),
		"entries":               looking("LunaSA Client = {\n  "+mild+" = "+mild+";\n}\n", none, nil),
		"a label that is lost":  looking("VirtualToken = {\n  VirtualToken00Label = "+mild+";\n}\n", none, nil),
		"vtl fails":             looking(soundConf, "Error: "+poison+"\n", nil),
		"vtl babbles":           looking(soundConf, poison+"\n", nil),
		"vtl lists":             looking(soundConf, "Server: "+poison+"\n", nil),
		"vtl lists, mildly":     looking(soundConf, "Server: x"+mild+"\n", nil),
		"a file":                looking(soundConf, none, map[string]string{"CAFile.pem": poison}),
		"a key":                 looking(soundConf, none, map[string]string{"Key.pem": poison}),
		"a certificate":         looking(soundConf, none, map[string]string{"/cert/client/": poison}),
		"processes":             looking(soundConf, none, map[string]string{"look_processes": poison}),
		"a refused channel":     func(d *door) { d.password(doorPassword); d.reject = poison },
	}
}

// hostileAppliances are appliances that mean ill.
func hostileAppliances() map[string]func(*door) {
	banner := func(d *door) {
		d.config.BannerCallback = func(ssh.ConnMetadata) string { return poison }
		d.config.ServerVersion = "SSH-2.0-poison" // RFC 4253 allows printable ASCII alone, and so does the library
		d.password("another")
	}
	return map[string]func(*door){
		"greeting":        func(d *door) { d.greet = func(c net.Conn) { _, _ = io.WriteString(c, poison+"\r\n") } },
		"version":         func(d *door) { d.greet = func(c net.Conn) { _, _ = io.WriteString(c, "SSH-2.0-x"+poison+"\r\n") } },
		"banner at login": banner,
		"question":        func(d *door) { d.interactive(doorPassword, asks(poison+"PIN: ")) },
		"several questions": func(d *door) {
			d.interactive(doorPassword, question{poison, []string{poison, poison}, []bool{false, true}})
		},
		"instruction": func(d *door) {
			d.interactive(doorPassword, question{poison + "password has expired", []string{poison}, []bool{false}})
		},
		"refused channel":     func(d *door) { d.password(doorPassword); d.reject = poison },
		"no prompt":           shows(poison, true),
		"another prompt":      shows(poison+"\r\n"+poison+"m$ ", false),
		"asks":                shows(poison+"\r\n"+poison+"m, really? ", false),
		"asks for a password": shows(poison+"m password: ", false),
		"new password":        shows(poison+"m New password: ", false),
		"an error":            chatting("Error: " + poison + "\r\nCommand Result : 65535 (" + poison + ")\r\n"),
		"an error, success":   chatting("Error: 'client list' failed. (" + poison + ")\r\nCommand Result : 0 (Success)\r\n"),
		"nonsense":            chatting(poison + "\r\nCommand Result : 0 (Success)\r\n"),
		"a question":          chatting(poison + "\r\nType 'proceed' " + poison + ", or 'quit'\r\nto quit now.\r\n> "),
		"hsm login":           chatting("Error: You must be logged in " + poison + "\r\nCommand Result : 65535 (Luna Shell execution)\r\n"),
		"a closed session":    chatting(""),
		"names of clients":    chatting("registered client 1: " + poison + "\r\nregistered client 2: NS-web1\r\nCommand Result : 0 (Success)\r\n"),
	}
}

// chatting is a lunash with one answer to everything; an empty one is its end.
func chatting(answer string) func(*door) {
	return func(d *door) {
		d.password(doorPassword)
		d.serve = func(s io.ReadWriter, request, _ string) int {
			const prompt = "[h" + "\u202e" + "] lunash:>"
			switch {
			case request == "exec":
				_, _ = io.WriteString(s, "\x01scp: "+poison+"\n")
				return 1
			case request == "subsystem":
				_, _ = io.WriteString(s, poison)
				return 1
			}
			_, _ = io.WriteString(s, "Luna SA "+poison+"\r\n"+prompt)
			line := make([]byte, 4096)
			for {
				if _, err := s.Read(line); err != nil || answer == "" {
					return 0
				}
				_, _ = io.WriteString(s, "\r\n"+answer+prompt)
			}
		}
	}
}

// Whatever a host says, wherever it says it: nothing that steers a terminal or
// hides text comes out, in text, on a colour terminal, in JSON.
func TestHostileWordsDoNotSteerTheTerminal(t *testing.T) {
	_, s, words := visit(t, lab.Options{Kind: lab.Linux})
	before := hash(t, s)
	type run struct {
		*bench
		name, mode string
		status     int
	}
	var runs []*run
	var all sync.WaitGroup
	start := func(name string, end ...string) {
		for _, mode := range []string{"text", "terminal", "json"} {
			r := &run{bench: dialling(t), name: name, mode: mode}
			if mode == "terminal" {
				r.app.out.Width, r.app.out.Color, r.app.err.Width, r.app.err.Color = 80, true, 80, true
			}
			line := slices.Concat([]string{"apply", "-y", "-o", strings.Replace(mode, "terminal", "text", 1), "--step-timeout", "5s", "--timeout", "1m"}, words, passwords(s), end)
			runs = append(runs, r)
			all.Go(func() { r.status = r.app.main(t.Context(), line) })
		}
	}
	for name, set := range hostileClients() {
		d := opened(t, set)
		start("client: "+name, "--client-root=", "--client", d.address, "--client-host-key", d.pin, "--client-password-file", d.passwordFile)
	}
	// Sound, and quick.
	client := opened(t, looking(soundConf, "There are no servers registered.\n", nil))
	for name, set := range hostileAppliances() {
		d := opened(t, set)
		start("appliance: "+name, "--client-root=", "--client", client.address, "--client-host-key", client.pin, "--client-password-file", client.passwordFile, "--hsm", d.address, "--hsm-host-key", d.pin, "--hsm-password-file", d.passwordFile)
	}
	all.Wait()
	for _, r := range runs {
		text := own.ReplaceAllString(r.out.String()+r.err.String(), "")
		unsteered(t, r.name+", "+r.mode, text)
		if r.mode == "json" {
			unsteered(t, r.name+", document", fmt.Sprintf("%+v", document(t, r.bench)))
		}
		if r.status == ui.ExitOK || r.status == ui.ExitUsage {
			t.Errorf("%s, %s: exit %d\n%s", r.name, r.mode, r.status, text)
		}
		if len(text) > 64<<10 {
			t.Errorf("%s, %s: %d bytes came out", r.name, r.mode, len(text))
		}
	}
	if hash(t, s) != before {
		t.Error("something was changed")
	}
}

// A comment in known_hosts is text of whoever gave the line.
func TestKnownHostsDoNotSteerTheTerminal(t *testing.T) {
	b, s, words := visit(t, lab.Options{Kind: lab.Linux})
	known, err := os.ReadFile(s.KnownHosts)
	if err != nil {
		t.Fatal(err)
	}
	other := opened(t, func(d *door) { d.password(doorPassword) })
	_, address, _ := strings.Cut(other.address, "@")
	var lines []string
	for line := range strings.Lines(string(known)) {
		fields := strings.Fields(line)
		lines = append(lines, strings.TrimSpace(line)+" "+poison, "[127.0.0.1]:"+address[strings.LastIndex(address, ":")+1:]+" "+fields[1]+" "+fields[2]+" "+mild)
	}
	if err := os.WriteFile(s.KnownHosts, []byte(strings.ReplaceAll(strings.Join(lines, "\n"), "\r", "")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := b.main(t, slices.Concat([]string{"plan"}, words, passwords(s), []string{"--hsm", other.address})...)
	if got != ui.ExitUnreachable || !strings.Contains(b.err.String(), "host key") {
		t.Errorf("exit %d\n%s", got, b.err.String())
	}
	unsteered(t, "known_hosts", b.out.String()+b.err.String())
}

// What the two hosts have in good order may be poisoned too: names on the
// appliance, labels, entries that the plan shows as differences.
func TestPoisonInGoodOrder(t *testing.T) {
	for _, mode := range []string{"text", "json"} {
		b, s, words := visit(t, lab.Options{Vtl: luna.VtlSettings{Banner: "vtl " + mild}})
		err := s.Appliance().Update(func(st *luna.State) error {
			st.Clients = append(st.Clients, luna.Client{Name: "web " + mild, IP: s.ClientAddress})
			st.Partitions[0].Name = "part" + mild
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, conf := range []string{"/etc/Chrystoki.conf", "/var/safenet/config/Chrystoki.conf"} {
			f, err := os.OpenFile(s.ClientRoot+conf, os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			_, err = f.WriteString("VirtualToken = {\n   VirtualToken00Label = " + mild + ";\n}\n")
			if err := errors.Join(err, f.Close()); err != nil {
				t.Fatal(err)
			}
		}
		words = slices.Concat(words, passwords(s), []string{"-o", mode})
		for _, more := range [][]string{{"plan", "--partition", "nosuch"}, {"plan", "--deep"}, {"apply", "-y"}} {
			b = b.again(t)
			b.main(t, slices.Concat(more, words)...)
			text := b.out.String() + b.err.String()
			unsteered(t, strings.Join(more, " ")+" "+mode, text)
			if strings.Contains(text, "--name web") {
				t.Errorf("%v: a name that is none is offered:\n%s", more, text)
			}
		}
	}
}

// A host that never stops talking is cut off after a bounded number of bytes,
// on every kind of channel.
func TestFloodsAreCutOff(t *testing.T) {
	_, s, words := visit(t, lab.Options{Kind: lab.Linux})
	flood := func(n *atomic.Int64, s io.Writer, first string) {
		_, _ = io.WriteString(s, first)
		chunk := []byte(strings.Repeat("all work and no play\n", 1560))
		for n.Load() < 1<<30 {
			if _, err := s.Write(chunk); err != nil {
				return
			}
			n.Add(int64(len(chunk)))
		}
	}
	type peer struct {
		client bool
		serve  func(n *atomic.Int64, s io.ReadWriter, request string) int
	}
	// beside is a sound lunash beside which files are served by serve.
	beside := func(first string) peer {
		return peer{serve: func(n *atomic.Int64, ch io.ReadWriter, request string) int {
			switch request {
			case "shell":
				status, _ := s.Appliance().Serve(t.Context(), ch, luna.Session{User: "admin", Form: luna.Terminal})
				return status
			case "exec":
				flood(n, ch, first)
			}
			return 1
		}}
	}
	const megabyte = 1 << 20
	for name, c := range map[string]struct {
		peer
		most int64
	}{
		"terminal":                     {peer{serve: func(n *atomic.Int64, ch io.ReadWriter, _ string) int { flood(n, ch, ""); return 0 }}, 8 * megabyte},
		"command":                      {peer{client: true, serve: func(n *atomic.Int64, ch io.ReadWriter, _ string) int { flood(n, ch, ""); return 0 }}, 24 * megabyte},
		"a file of a size without end": {beside("C0644 9223372036854775807 server.pem\n"), 8 * megabyte},
		"a file that is larger":        {beside("C0644 65537 server.pem\n"), 8 * megabyte},
		"a header without end":         {beside("C0644 "), 8 * megabyte},
		"a negative mode":              {beside("C-644 10 server.pem\n"), 8 * megabyte},
		"a negative size":              {beside("C0644 -10 server.pem\n"), 8 * megabyte},
		"a size of another world":      {beside("C0644 18446744073709551617 server.pem\n"), 8 * megabyte},
		"another directory":            {beside("C0644 10 ../../etc/passwd\n"), 8 * megabyte},
		"a directory":                  {beside("D0755 0 etc\n"), 8 * megabyte},
		"an error without end":         {beside("\x01"), 8 * megabyte},
	} {
		t.Run(name, func(t *testing.T) {
			var n atomic.Int64
			d := opened(t, func(d *door) {
				d.password(doorPassword)
				d.serve = func(s io.ReadWriter, request, _ string) int { return c.serve(&n, s, request) }
			})
			end := []string{"--hsm", d.address, "--hsm-host-key", d.pin, "--hsm-password-file", d.passwordFile}
			if c.client {
				end = []string{"--client", d.address, "--client-host-key", d.pin, "--client-password-file", d.passwordFile}
			}
			b := dialling(t)
			got := b.main(t, slices.Concat([]string{"plan", "-o", "json", "--timeout", "1m"}, words, passwords(s), end)...)
			if got != ui.ExitFailed {
				t.Errorf("exit %d, want 1\n%s", got, b.err.String())
			}
			if n.Load() > c.most {
				t.Errorf("%d bytes were taken", n.Load())
			}
			if n := b.out.Len() + b.err.Len(); n > 64<<10 {
				t.Errorf("%d bytes came out", n)
			}
		})
	}
}
