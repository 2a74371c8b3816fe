package lunash

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/fixtures/transcripts"
	"ntl-setup/transport"
)

// A replay is one call, and what must come of it when the appliance says what
// the transcript says.
type replay struct {
	call func(ctx context.Context, a Appliance) (any, error)
	want any   // of a call that succeeds
	kind error // of a *ReplyError; nil with class set: any
	// class is the error's class; empty means success.
	class string
	twice bool // the first answer proves nothing, so it is asked for again
}

func clients(names ...string) replay {
	return replay{call: func(ctx context.Context, a Appliance) (any, error) { return a.Clients(ctx) }, want: names}
}

func shown(c Client) replay {
	return replay{call: func(ctx context.Context, a Appliance) (any, error) { return a.Client(ctx, "web1") }, want: c}
}

func printed(algorithm, beginning string) replay {
	return replay{want: algorithm + " " + beginning, call: func(ctx context.Context, a Appliance) (any, error) {
		d, err := a.Fingerprint(ctx, "web1")
		return d.Algorithm + " " + d.Sum[:min(6, len(d.Sum))], err
	}}
}

func partitions(list ...Partition) replay {
	return replay{call: func(ctx context.Context, a Appliance) (any, error) { return a.Partitions(ctx) }, want: list}
}

func registered() replay {
	return replay{want: true, call: func(ctx context.Context, a Appliance) (any, error) {
		return true, a.Register(ctx, Registration{Name: "web1", Address: "192.0.2.17"})
	}}
}

func assigned() replay {
	return replay{want: true, call: func(ctx context.Context, a Appliance) (any, error) {
		return true, a.Assign(ctx, "web1", "par9")
	}}
}

func (r replay) fails(class string, kind error) replay {
	r.want, r.class, r.kind = nil, class, kind
	return r
}

func (r replay) again() replay {
	r.twice = true
	return r
}

func replays() map[string]replay {
	byName := registered()
	byName.call = func(ctx context.Context, a Appliance) (any, error) {
		return true, a.Register(ctx, Registration{Name: "web1", Address: "web1.lab.example", ByHostname: true})
	}
	edge := clients("edge-01", "edge-02", "edge-03", "edge-04", "edge-05", "edge-06", "edge-07", "edge-08", "edge-09", "edge-10", "edge-11", "edge-12")
	return map[string]replay{
		"client-list-5":              clients("web1", "payment gateway east", "reports: nightly run"),
		"client-list-7":              clients("web10", "192.0.2.17", "node_7:blue.example-net"),
		"client-list-empty":          clients(),
		"client-list-joined":         clients("app-one", "app two", "app-three"),
		"client-list-twelve":         edge,
		"client-list-no-trailer":     clients("web1").again(),
		"client-list-prompt-in-name": clients("[old] lunash:>", "Command Result : 0 (Success)", "last"),
		"not-authorized":             clients().fails("remote", ErrNotAllowed),
		"host-renamed":               clients("web1"),
		"capital-prompt":             clients("web1"),
		"bare-prompt":                clients("web1"),

		"register-ip":             registered(),
		"register-hostname":       byName,
		"register-unquoted":       registered(),
		"register-address-taken":  registered().fails("remote", ErrAddressTaken),
		"register-name-taken":     registered().fails("remote", ErrClientExists),
		"register-no-certificate": registered().fails("remote", ErrNoCertificateFile),
		"register-needs-login":    registered().fails("remote", ErrNeedsLogin),
		"register-error-result-0": registered().fails("remote", nil),
		"register-nothing-said":   registered().fails("protocol", ErrUnproven),
		"question-proceed":        registered().fails("conflict", ErrQuestion),
		"question-plain":          registered().fails("conflict", ErrQuestion),
		"question-password":       registered().fails("remote", ErrNeedsLogin),

		"assign-ok":           assigned(),
		"wrapped-echo":        assigned(),
		"assign-already":      assigned().fails("remote", ErrAlreadyAssigned),
		"assign-no-partition": assigned().fails("remote", ErrNoSuchPartition),
		"assign-bare-code":    assigned().fails("remote", ErrNoSuchPartition),
		"assign-no-client":    assigned().fails("remote", ErrNoSuchClient),

		"show-hostname": shown(Client{Name: "web1", Address: "web1.lab.example", ByHostname: true, Partitions: []string{"par1", "pay east", "par3"}}),
		"show-ip-htl":   shown(Client{Name: "web1", Address: "192.0.2.17", Partitions: []string{"par9"}}),
		"show-none":     shown(Client{Name: "web1", Address: "2001:db8::17"}),
		"show-many":     shown(Client{Name: "web1", Address: "web1", ByHostname: true, Partitions: []string{"par1", "par2", "par3", "par4"}}),
		"padded-echo":   shown(Client{Name: "web1", Address: "web1", ByHostname: true}),
		"show-unknown":  shown(Client{}).fails("remote", ErrNoSuchClient),

		"fingerprint-md5":     printed("MD5", "0b1219"),
		"fingerprint-sha1":    printed("SHA-1", "0b1219"),
		"fingerprint-sha256":  printed("SHA-256", "0b1219"),
		"fingerprint-odd":     printed("", ""),
		"fingerprint-unknown": printed("", "").fails("remote", ErrNoSuchClient),
		"unknown-command":     printed("", "").fails("remote", ErrNotAllowed),

		"partition-list-5":        partitions(Partition{"300100201", "par1"}, Partition{"300100202", "pay east"}, Partition{"300100203", "par 3"}),
		"partition-list-6-tabs":   partitions(Partition{"400100301", "par9"}, Partition{"400100302", "par10"}, Partition{"400100303", "par11"}, Partition{"400100304", "par12"}),
		"partition-list-77":       partitions(Partition{"1500100200301", "par9"}, Partition{"1500100200302", "pay east 2"}),
		"partition-list-77-blank": partitions(Partition{"1500100200301", "par9"}),
		"partition-list-spread":   partitions(Partition{"400100301", "par9"}, Partition{"400100302", "par10"}),
		"partition-list-empty":    partitions(),

		"hostip-show-table":  mappedHosts("pay east 198.51.100.7", "web1 192.0.2.17"),
		"hostip-show-none":   mappedHosts(),
		"hostip-show-odd":    mappedHosts().fails("protocol", nil),
		"hostip-map-ok":      mappedHost(),
		"hostip-map-already": mappedHost().fails("remote", ErrAlreadyMapped),

		"login-new-password": clients().fails("dialogue", nil),
	}
}

// loginsOnly are transcripts without a command, used elsewhere.
var loginsOnly = []string{"login-5", "login-7", "login-79"}

func TestEveryTranscriptIsReplayed(t *testing.T) {
	known := replays()
	for _, name := range transcripts.Names("appliance") {
		if _, ok := known[name]; !ok && !slices.Contains(loginsOnly, name) {
			t.Errorf("%s: no test says what must come of it", name)
		}
	}
}

// session cuts a transcript at its first prompt: what comes before a command,
// and what comes after it was sent. A terminal ends its lines with CR LF.
func session(name string) (login, rest string) {
	text := strings.ReplaceAll(transcripts.Appliance(name), "\n", "\r\n")
	_, after, found := strings.Cut(text, "unash:>")
	if !found {
		return text, ""
	}
	return strings.TrimSuffix(text, after), after
}

// check runs a call and compares what came of it.
func (r replay) check(t *testing.T, what string, a Appliance) {
	t.Helper()
	got, err := r.call(t.Context(), a)
	if r.class == "" {
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if diff := cmp.Diff(r.want, got); diff != "" {
			t.Fatalf("%s: %s", what, diff)
		}
		return
	}
	if err == nil || classOf(err) != r.class || r.kind != nil && !errors.Is(err, r.kind) {
		t.Fatalf("%s: got %v (class %s), want class %s, kind %v", what, err, classOf(err), r.class, r.kind)
	}
}

// play replays a transcript in pieces, with a pause between them.
func (r replay) play(t *testing.T, m func() (matcher, error), what string, pause time.Duration, login, rest []string) {
	t.Helper()
	conn := &fakeConn{scripts: []script{func(term *terminal) {
		for _, part := range login {
			term.pause(pause)
			term.say(part)
		}
		term.hear()
		for _, part := range rest {
			term.pause(pause)
			term.say(part)
		}
		term.hang()
	}}}
	a := newAppliance(conn, Options{}, m)
	defer a.Close()
	r.check(t, what, a)
	lines := conn.lines()
	if r.twice && len(lines) == 2 && lines[1] == lines[0] {
		lines = lines[:1]
	}
	if r.class != "dialogue" && (len(lines) == 0 || len(lines) > 2 || len(lines) == 2 && lines[1] != "quit") {
		t.Fatalf("%s: the appliance was sent %q", what, lines)
	}
	if r.class == "dialogue" && len(conn.lines()) != 0 {
		t.Fatalf("%s: something was typed at a login question: %q", what, conn.lines())
	}
}

func bytesOf(s string) []string { return strings.Split(s, "") }

// Every transcript, whole and byte by byte, at once and slowly.
func TestReplay(t *testing.T) {
	for kind, m := range matchers() {
		for name, r := range replays() {
			t.Run(kind+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					login, rest := session(name)
					r.play(t, m, "whole", 0, []string{login}, []string{rest})
					r.play(t, m, "byte by byte", 0, bytesOf(login), bytesOf(rest))
					r.play(t, m, "byte by byte, slowly", 20*time.Millisecond, bytesOf(login), bytesOf(rest))
				})
			})
		}
	}
}

// Every transcript cut in two at every place (under the race detector, which is
// twenty times slower, at every eleventh), with a pause that is longer than what
// settles a prompt.
func TestReplayAtEverySplit(t *testing.T) {
	for kind, m := range matchers() {
		for name, r := range replays() {
			t.Run(kind+"/"+name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					login, rest := session(name)
					for i := 0; i < len(login); i += splitStep {
						r.play(t, m, "login cut at "+login[i:], 200*time.Millisecond, []string{login[:i], login[i:]}, []string{rest})
					}
					for i := 0; i < len(rest); i += splitStep {
						r.play(t, m, "reply cut at "+rest[i:], 200*time.Millisecond, []string{login}, []string{rest[:i], rest[i:]})
					}
				})
			})
		}
	}
}

// The same with what terminals add: colours, titles, erasures, in every place
// between two lines.
func TestReplayWithEscapes(t *testing.T) {
	paint := func(text string) string {
		return "\x1b[0m" + strings.ReplaceAll(text, "\r\n", "\x1b[K\r\n\x1b]0;hsm\x07\x1b[1;32m") + "\x1b[0m\x1b(B"
	}
	for kind, m := range matchers() {
		for name, r := range replays() {
			t.Run(kind+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					login, rest := session(name)
					login, rest = paint(login), paint(rest)
					r.play(t, m, "whole", 0, []string{login}, []string{rest})
					r.play(t, m, "byte by byte", 0, bytesOf(login), bytesOf(rest))
				})
			})
		}
	}
}

// A terminal without echo says the same, less the command line.
func TestReplayWithoutEcho(t *testing.T) {
	for kind, m := range matchers() {
		for name, r := range replays() {
			login, rest := session(name)
			_, body, found := strings.Cut(rest, "\r\n")
			if !found || name == "wrapped-echo" {
				continue
			}
			t.Run(kind+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					r.play(t, m, "without echo", 0, []string{login}, []string{body})
				})
			})
		}
	}
}

var _ transport.Conn = (*fakeConn)(nil)
