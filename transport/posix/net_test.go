//go:build unix

package posix

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/transport"
)

// serve listens on the loopback and gives each connection to handle.
func serve(t *testing.T, handle func(net.Conn)) (host string, port int) {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	check(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			handle(c)
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return "127.0.0.1", l.Addr().(*net.TCPAddr).Port
}

// shut ends a connection at once.
func shut(c net.Conn) { _ = c.Close() }

// tlsServer shows a certificate, wants one, and lets nobody in.
func tlsServer(t *testing.T) (host string, port int, der []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(0), NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour)}
	der, err = x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	check(t, err)
	config := &tls.Config{
		MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12, ClientAuth: tls.RequireAnyClientCert,
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
	}
	host, port = serve(t, func(c net.Conn) {
		_ = tls.Server(c, config).HandshakeContext(t.Context()) // fails: nobody has a certificate
		shut(c)
	})
	return host, port, der
}

// onlyWith is a Host whose scripts find no other tools than those of sh and the
// named ones.
func onlyWith(t *testing.T, tools ...string) transport.Host {
	t.Helper()
	dir := t.TempDir()
	for _, tool := range append([]string{"sleep", "sed"}, tools...) {
		check(t, os.Symlink(need(t, tool, tool), filepath.Join(dir, tool)))
	}
	return New(Local("here"), Options{Shell: "sed 's|^PATH=.*|PATH=" + dir + "|' | " + need(t, "sh", "dash")})
}

func reach(t *testing.T, h transport.Host, host string, port int) transport.Fact {
	t.Helper()
	q := transport.Reach(host, port, 2*time.Second)
	facts, err := h.Look(t.Context(), q)
	check(t, err)
	return facts[q]
}

// With each of the tools: a port that answers, and one that does not.
func TestReach(t *testing.T) {
	host, port, der := tlsServer(t)
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	check(t, err)
	nobody := l.Addr().(*net.TCPAddr).Port
	check(t, l.Close())
	for tool, pkg := range map[string]string{"openssl": "openssl", "nc": "netcat-openbsd", "bash": "bash"} {
		need(t, tool, pkg)
		h := onlyWith(t, tool)
		if got := reach(t, h, host, port); !got.Reached || got.Tool != tool {
			t.Errorf("%s: %+v", tool, got)
		} else if block, _ := pem.Decode(got.Data[max(0, strings.Index(string(got.Data), "-----BEGIN")):]); tool == "openssl" && (block == nil || !cmp.Equal(block.Bytes, der)) {
			t.Errorf("%s does not show the certificate: %s", tool, got.Data)
		}
		if got := reach(t, h, host, nobody); got.Reached || got.Missing || got.Tool != tool {
			t.Errorf("%s, nobody listens: %+v", tool, got)
		}
	}
	if got := reach(t, onlyWith(t), host, port); !got.Missing || got.Reached {
		t.Errorf("no tool: %+v", got)
	}
}

// A server that says nothing is not waited for.
func TestReachIsBounded(t *testing.T) {
	var open []net.Conn
	t.Cleanup(func() { // once the server has ended
		for _, c := range open {
			shut(c)
		}
	})
	host, port := serve(t, func(c net.Conn) { open = append(open, c) })
	began := time.Now()
	got := reach(t, onlyWith(t, "openssl"), host, port)
	if took := time.Since(began); took < time.Second || took > 20*time.Second {
		t.Errorf("it took %v", took)
	}
	if got.Tool != "openssl" {
		t.Errorf("%+v", got)
	}
}

func TestRoute(t *testing.T) {
	h, _ := here(t)
	q := transport.Route("127.0.0.1")
	facts, err := h.Look(t.Context(), q)
	check(t, err)
	if diff := cmp.Diff([]string{"127.0.0.1"}, facts[q].Names); diff != "" {
		t.Errorf("%s %+v", diff, facts[q])
	}
	q = transport.Route("nowhere.invalid")
	facts, err = h.Look(t.Context(), q)
	check(t, err)
	if f := facts[q]; len(f.Names) > 0 || !strings.Contains(f.Problem, "does not resolve") {
		t.Errorf("%+v", f)
	}
}

func TestSources(t *testing.T) {
	for text, want := range map[string][]string{
		"192.0.2.20 via 198.51.100.1 dev eth0 src 198.51.100.7 uid 0 \n    cache":                                            {"198.51.100.7"},
		"local 127.9.9.9 dev lo src 127.0.0.1 uid 0":                                                                         {"127.0.0.1"},
		"2001:db8::20 from :: dev eth0 proto ra src 2001:db8::7 metric 100":                                                  {"2001:db8::7"},
		"nsfe0: flags=8843<UP>\n\tinet 10.9.8.7 netmask 0xffffff00 broadcast 10.9.8.255\n\tinet6 fe80::1%nsfe0 prefixlen 64": {"10.9.8.7", "fe80::1"},
		"RTNETLINK answers: Network is unreachable":                                                                          nil,
		"": nil,
	} {
		if diff := cmp.Diff(want, sources(text)); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}

func TestNetQueriesTakeAddressesAlone(t *testing.T) {
	h, dir := here(t)
	for _, bad := range []string{"", "-x", "a b", "a;touch " + dir + "/made", "$(touch " + dir + "/made)", "a\tb", "'", strings.Repeat("a", 300)} {
		for _, q := range []transport.Query{transport.Route(bad), transport.Reach(bad, 1792, time.Second)} {
			facts, err := h.Look(t.Context(), q)
			check(t, err)
			if f := facts[q]; f.Problem == "" || f.Reached {
				t.Errorf("%q: %+v", bad, f)
			}
		}
	}
	if exists(filepath.Join(dir, "made")) {
		t.Error("a word of a query was carried out")
	}
}

// What the scripts are called with is what was asked.
func TestNetCalls(t *testing.T) {
	for q, want := range map[transport.Query]string{
		transport.Route("hsm1.example.net"):                        "look_route 'hsm1.example.net'",
		transport.Reach("2001:db8::20", 1792, 5*time.Second):       "look_reach '2001:db8::20' '" + strconv.Itoa(1792) + "' '5'",
		transport.Reach("192.0.2.20", 1792, 2500*time.Millisecond): "look_reach '192.0.2.20' '1792' '2'",
	} {
		if got, err := lookCall(q); err != nil || got != want {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
	}
}
