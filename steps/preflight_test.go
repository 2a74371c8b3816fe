package steps

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/steps/preflight"
	"ntl-setup/transport"
	"ntl-setup/transport/lunash"
)

// talkative is an appliance that also tells how it is set.
type talkative struct {
	*fakeHSM

	mu       sync.Mutex
	clock    lunash.Clock
	clockErr error
	ipcheck  bool
	ipErr    error
	serving  bool
	asked    []string
}

func (h *talkative) note(word string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked = append(h.asked, word)
}

func (h *talkative) Clock(context.Context) (lunash.Clock, error) {
	h.note("clock")
	return h.clock, h.clockErr
}

func (h *talkative) IPCheck(context.Context) (bool, error) {
	h.note("ipcheck")
	return h.ipcheck, h.ipErr
}

func (h *talkative) Serving(context.Context) (bool, error) {
	h.note("serving")
	return h.serving, nil
}

// dialled is what comes of reaching the port through SSH.
type dialled func(ctx context.Context, address string) (net.Conn, error)

func (d dialled) DialFrom(ctx context.Context, address string) (net.Conn, error) {
	return d(ctx, address)
}

// showing answers like NTLS with a certificate (PEM of the test's first key).
func showing(t *testing.T, cert []byte) dialled {
	t.Helper()
	config := &tls.Config{
		MinVersion: tls.VersionTLS12, ClientAuth: tls.RequireAnyClientCert,
		Certificates: []tls.Certificate{{Certificate: [][]byte{certOf(cert).Raw}, PrivateKey: keys()[0]}},
	}
	return func(_ context.Context, address string) (net.Conn, error) {
		if address != hsmName+":1792" {
			return nil, fmt.Errorf("asked for %s", address)
		}
		near, far := net.Pipe()
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = tls.Server(far, config).HandshakeContext(t.Context()) // it is cut off
			_ = far.Close()
		}()
		t.Cleanup(func() { <-done })
		return near, nil
	}
}

// failing does not get through.
func failing(err error) dialled {
	return func(context.Context, string) (net.Conn, error) { return nil, err }
}

// talk is a site whose appliance tells how it is set, with all clocks right.
func (s *site) talk() *talkative {
	s.host.Clock = time.Now()
	s.host.Sources = []string{"192.0.2.10"}
	return &talkative{fakeHSM: s.hsm, clock: lunash.Clock{Time: time.Now(), Zone: "UTC", Known: true}, ipcheck: true, serving: true}
}

func (s *site) preflight(hsm lunash.Appliance, from transport.Dialer) map[string]preflight.Check {
	s.t.Helper()
	opened, err := Open(s.t.Context(), Hosts{Client: s.host, HSM: hsm}, s.link)
	if err != nil {
		s.t.Fatal(err)
	}
	s.host.Looked = nil
	found := map[string]preflight.Check{}
	for _, c := range opened.Preflight(s.t.Context(), from) {
		found[c.ID] = c
	}
	return found
}

func TestPreflightThroughSSH(t *testing.T) {
	s := newSite(t)
	hsm := s.talk()
	before := s.world()
	found := s.preflight(hsm, showing(t, s.hsm.files["server.pem"]))
	for id, want := range map[string]preflight.Status{
		preflight.IDPort: preflight.OK, preflight.IDCertificate: preflight.OK, preflight.IDClocks: preflight.OK,
		preflight.IDValidity: preflight.OK, preflight.IDAddress: preflight.OK, preflight.IDReverse: preflight.Unknown,
	} {
		if found[id].Status != want {
			t.Errorf("%+v, want %s", found[id], want)
		}
	}
	if n := len(s.host.Looked); n != 1 {
		t.Errorf("%d exchanges with the client, want one", n)
	}
	if len(hsm.asked) != 2 {
		t.Errorf("the appliance was asked %q", hsm.asked)
	}
	if diff := cmp.Diff(before, s.world()); diff != "" {
		t.Errorf("the preflight changed something:\n%s", diff)
	}
}

func TestPreflightSeesAnotherCertificate(t *testing.T) {
	s := newSite(t)
	other := certify("another", keys()[0], nextDecade)
	c := s.preflight(s.talk(), showing(t, other))[preflight.IDCertificate]
	if c.Status != preflight.Problem || !strings.Contains(c.Evidence, fingerprint(certOf(other))) || !strings.Contains(c.Evidence, fingerprint(certOf(s.hsm.files["server.pem"]))) {
		t.Errorf("%+v", c)
	}
}

// Where SSH does not forward, or says nothing about the port, the client's own
// tools are asked; where the port was tried and not reached, nobody else is.
func TestWhoTriesThePort(t *testing.T) {
	refused := transport.Errorf(transport.ClassConnect, "h", "reach x from there: Connection refused: %w", transport.ErrUnreached)
	reached := transport.Fact{Tool: "openssl", Reached: true, Data: []byte("CONNECTED(00000003)\n")}
	for name, c := range map[string]struct {
		from   transport.Dialer
		tool   transport.Fact
		status preflight.Status
		says   string
		looks  int
	}{
		"refused":                {failing(refused), reached, preflight.Problem, "through SSH): Connection refused", 1},
		"no forwarding, openssl": {failing(transport.ErrNoForwarding), reached, preflight.OK, "by its openssl", 2},
		"no dialer, openssl":     {nil, reached, preflight.OK, "by its openssl", 2},
		"lost channel, nc":       {failing(errors.New("resource shortage")), transport.Fact{Tool: "nc", Reached: true}, preflight.OK, "by its nc", 2},
		"openssl, refused": {
			failing(transport.ErrNoForwarding), transport.Fact{Tool: "openssl", Data: []byte("\nconnect: Connection refused\nconnect:errno=61\n")},
			preflight.Problem, "by its openssl): connect: Connection refused", 2,
		},
		"openssl 3, refused": {
			failing(transport.ErrNoForwarding), transport.Fact{Tool: "openssl", Data: []byte("40A70B6EA17F0000:error:8000006F:system library:BIO_connect:Connection refused:../crypto/bio/bio_sock2.c:117:calling connect()\nconnect:errno=111\n")},
			preflight.Problem, "by its openssl): Connection refused", 2,
		},
		"openssl 3, no name": {
			failing(transport.ErrNoForwarding), transport.Fact{Tool: "openssl", Data: []byte("4067C5:error:10080002:BIO routines:BIO_lookup_ex:system lib:../crypto/bio/bio_addr.c:746:Name or service not known\nconnect:errno=0\n")},
			preflight.Problem, "by its openssl): Name or service not known", 2,
		},
		"openssl, silence": {failing(transport.ErrNoForwarding), transport.Fact{Tool: "openssl"}, preflight.Problem, "no answer within 5s", 2},
		"no tool":          {failing(transport.ErrNoForwarding), transport.Fact{Missing: true}, preflight.Unknown, "neither openssl nor nc nor bash; SSH: the machine does not forward", 2},
		"another kind of host": {
			failing(transport.ErrNoForwarding), transport.Fact{Problem: "unknown query"}, preflight.Unknown, "unknown query", 2,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.host.Port = c.tool
			got := s.preflight(s.talk(), c.from)[preflight.IDPort]
			if got.Status != c.status || !strings.Contains(got.Evidence, c.says) {
				t.Errorf("%+v, want %s with %q", got, c.status, c.says)
			}
			if n := len(s.host.Looked); n != c.looks {
				t.Errorf("%d exchanges with the client, want %d", n, c.looks)
			}
		})
	}
}

// hangingUp hands out connections whose far side ends them at once.
type hangingUp struct{}

func (hangingUp) DialFrom(context.Context, string) (net.Conn, error) {
	near, far := net.Pipe()
	go func() {
		_, _ = far.Read(make([]byte, 1<<12)) // the hello
		_ = far.Close()
	}()
	return near, nil
}

// A port that hangs up at once is worth a warning, however it was reached.
func TestAPortThatHangsUp(t *testing.T) {
	by := func(data string) transport.Fact {
		return transport.Fact{Tool: "openssl", Reached: true, Data: []byte("CONNECTED(00000003)\n" + data)}
	}
	for name, c := range map[string]struct {
		from   transport.Dialer
		tool   transport.Fact
		status preflight.Status
	}{
		"through SSH":    {hangingUp{}, transport.Fact{}, preflight.Warning},
		"a reset":        {nil, by("write:errno=104\n"), preflight.Warning},
		"an end":         {nil, by("4017:error:0A000126:SSL routines:ssl3_read_n:unexpected eof while reading:x.c:318:\n"), preflight.Warning},
		"an end, old":    {nil, by("SSL handshake has read 0 bytes and written 289 bytes\n"), preflight.Warning},
		"silence":        {nil, by(""), preflight.Unknown},
		"nc cannot tell": {nil, transport.Fact{Tool: "nc", Reached: true, Data: []byte("errno=1")}, preflight.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.host.Port = c.tool
			got := s.preflight(s.talk(), c.from)[preflight.IDCertificate]
			if got.Status != c.status || (got.Hint != "") != (c.status == preflight.Warning) {
				t.Errorf("%+v, want %s", got, c.status)
			}
		})
	}
}

// Whether NTLS runs is asked where the port is not reached, and nowhere else.
func TestAClosedPortIsExplained(t *testing.T) {
	s := newSite(t)
	hsm := s.talk()
	hsm.serving = false
	c := s.preflight(hsm, failing(transport.ErrUnreached))[preflight.IDPort]
	if !strings.Contains(c.Hint, "NTLS does not run") {
		t.Errorf("%+v", c)
	}
	if len(hsm.asked) != 3 {
		t.Errorf("the appliance was asked %q", hsm.asked)
	}
}

func TestWhatTheApplianceDoesNotTell(t *testing.T) {
	s := newSite(t)
	s.host.Sources = []string{"198.51.100.7"}
	for name, hsm := range map[string]lunash.Appliance{
		"it cannot be asked": s.hsm,
		"this user may not ask `status date`": &talkative{
			fakeHSM: s.hsm, clockErr: s.hsm.refuse("status date", lunash.ErrNotAllowed), ipErr: s.hsm.refuse("ntls ipcheck show", lunash.ErrNotAllowed),
		},
	} {
		found := s.preflight(hsm, showing(t, s.hsm.files["server.pem"]))
		if c := found[preflight.IDClocks]; !strings.Contains(c.Evidence, "the appliance's is not known: "+name) {
			t.Errorf("%s: %+v", name, c)
		}
		if c := found[preflight.IDAddress]; c.Status != preflight.Warning || !strings.Contains(c.Evidence, "whether the appliance checks addresses is not known") {
			t.Errorf("%s: %+v", name, c)
		}
	}
}

// A dead connection ends with its time, and is no verdict on what is there.
func TestPreflightEnds(t *testing.T) {
	s := newSite(t)
	s.host.Clock = time.Now() // it may have told before the end
	opened := s.open()
	ctx, cancel := context.WithCancel(t.Context())
	hangs := dialled(func(ctx context.Context, _ string) (net.Conn, error) {
		cancel()
		<-ctx.Done()
		return nil, context.Cause(ctx)
	})
	for _, c := range opened.Preflight(ctx, hangs) {
		if c.ID == preflight.IDClocks && c.Status != preflight.Unknown {
			t.Errorf("%+v", c)
		}
	}
}

func TestAhead(t *testing.T) {
	at := time.Date(2026, 3, 2, 9, 30, 0, 500_000_000, time.UTC)
	// A clock that agrees shows the whole second of the moment between.
	if got := ahead(at.Truncate(time.Second), at.Add(-time.Second), at.Add(time.Second)); got != 0 {
		t.Errorf("%v", got)
	}
	if got := ahead(at.Add(-time.Hour).Truncate(time.Second), at, at); got != -time.Hour {
		t.Errorf("%v", got)
	}
}

func TestReadings(t *testing.T) {
	s := newSite(t)
	before := s.world()
	opened, err := Open(t.Context(), Hosts{Client: s.host, HSM: s.talk()}, s.link)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, r := range opened.Readings(t.Context()) {
		if strings.ContainsAny(r.Name, "/\\ ") || got[r.Name] != "" {
			t.Errorf("a file called %q", r.Name)
		}
		got[r.Name] = string(r.Data)
	}
	for name, want := range map[string]string{
		"client.txt":                      "system: FreeBSD",
		"client-Chrystoki.conf":           factoryConf,
		"client-persisted-Chrystoki.conf": factoryConf,
		"client-vtl-listServers.txt":      "no servers",
		"client-bundle-of-servers.pem":    "(there is none)",
		"hsm.txt":                         `"602114017 partition6"`,
		"hsm-server.pem":                  "BEGIN CERTIFICATE",
	} {
		if !strings.Contains(strings.ToLower(got[name]), strings.ToLower(want)) {
			t.Errorf("no %q in %s: %s", want, name, got[name])
		}
	}
	if diff := cmp.Diff(before, s.world()); diff != "" {
		t.Errorf("reading changed something:\n%s", diff)
	}
	names := maps.Clone(got)
	s.host.Problems[confPath] = "Permission denied"
	again := map[string]string{}
	for _, r := range opened.Readings(t.Context()) {
		again[r.Name] = string(r.Data)
	}
	if again["client-Chrystoki.conf"] != "(Permission denied)\n" || len(again) != len(names) {
		t.Errorf("%q", again["client-Chrystoki.conf"])
	}
}
