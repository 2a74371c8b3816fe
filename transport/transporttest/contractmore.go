package transporttest

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"ntl-setup/transport"
)

func testProcesses(t *testing.T, b *bench) {
	daemon, other := b.at("daemon"), b.at("daemon2")
	b.do(transport.Create(daemon, []byte(daemonText), 0o755), transport.Create(other, []byte(daemonText), 0o755))
	if p := b.look(transport.Processes(daemon)).Processes; len(p) != 0 {
		t.Fatalf("processes before the start: %+v", p)
	}
	b.refuses(transport.Start(b.at("no")))
	b.do(transport.Start(daemon))
	p := b.waitFor(daemon, 1)[0]
	t.Cleanup(func() { b.end(daemon) })
	if p.PID < 2 || p.Started == "" || !strings.Contains(p.Command, daemon) || p.Age < 0 || p.Age > time.Minute {
		t.Errorf("process %+v", p)
	}
	if n := len(b.look(transport.Processes(other)).Processes); n != 0 {
		t.Errorf("%d processes of an executable that was not started", n)
	}
	b.refuses(transport.Stop(p.PID, other, time.Second))
	b.waitFor(daemon, 1)
	b.do(transport.Stop(p.PID, daemon, 10*time.Second))
	if left := b.look(transport.Processes(daemon)).Processes; len(left) != 0 {
		t.Errorf("processes after the end: %+v", left)
	}
	b.refuses(transport.Stop(p.PID, daemon, time.Second))
}

// waitFor looks until an executable has so many processes.
func (b *bench) waitFor(executable string, n int) []transport.Process {
	b.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	limit := time.NewTimer(20 * time.Second)
	defer limit.Stop()
	for {
		p := b.look(transport.Processes(executable)).Processes
		if len(p) == n {
			return p
		}
		select {
		case <-tick.C:
		case <-limit.C:
			b.t.Fatalf("%s has %d processes, want %d", executable, len(p), n)
		}
	}
}

// end stops what a failed test left running.
func (b *bench) end(executable string) {
	facts, err := b.Look(context.Background(), transport.Processes(executable))
	if err != nil {
		return
	}
	for _, p := range facts[transport.Processes(executable)].Processes {
		if _, err := b.Do(context.Background(), transport.Stop(p.PID, executable, 10*time.Second)); err != nil {
			b.t.Errorf("process %d of the test goes on: %v", p.PID, err)
		}
	}
}

// keyCase is a private key and what may be known of it.
type keyCase struct {
	name      string
	content   []byte
	header    string
	public    []byte // nil: cannot be had
	encrypted bool
}

func keyCases(t *testing.T) []keyCase {
	t.Helper()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	ecDER, err := x509.MarshalECPrivateKey(ecKey)
	must(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(rsaKey)
	must(t, err)
	rsaPublic, ecPublic := publicPEM(t, &rsaKey.PublicKey), publicPEM(t, &ecKey.PublicKey)
	pkcs1 := pemText("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey))
	old := "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: DES-EDE3-CBC,0011223344556677\n\nAAAA\n-----END RSA PRIVATE KEY-----\n"
	return []keyCase{
		{"PKCS1", pkcs1, "-----BEGIN RSA PRIVATE KEY-----", rsaPublic, false},
		{"PKCS1 CRLF", bytes.ReplaceAll(pkcs1, []byte("\n"), []byte("\r\n")), "-----BEGIN RSA PRIVATE KEY-----", rsaPublic, false},
		{"EC", pemText("EC PRIVATE KEY", ecDER), "-----BEGIN EC PRIVATE KEY-----", ecPublic, false},
		{"PKCS8", pemText("PRIVATE KEY", pkcs8), "-----BEGIN PRIVATE KEY-----", rsaPublic, false},
		{"encrypted PKCS1", []byte(old), "-----BEGIN RSA PRIVATE KEY-----", nil, true},
		{"encrypted PKCS8", pemText("ENCRYPTED PRIVATE KEY", pkcs8), "-----BEGIN ENCRYPTED PRIVATE KEY-----", nil, true},
		{"damaged", pemText("RSA PRIVATE KEY", pkcs8[:200]), "-----BEGIN RSA PRIVATE KEY-----", nil, false},
		{"not PEM", []byte("SECRET-OF-THE-KEY\n"), "", nil, false},
		{"empty", nil, "", nil, false},
	}
}

func testKeys(t *testing.T, b *bench) {
	for _, c := range keyCases(t) {
		path := b.at(c.name + " Key.pem")
		b.do(transport.Create(path, c.content, 0o600))
		f := b.look(transport.Key(path))
		if f.Header != c.header || f.Encrypted != c.encrypted || f.Mode != 0o600 || f.Missing {
			t.Errorf("%s: header %q, encrypted %v, mode %v", c.name, f.Header, f.Encrypted, f.Mode)
		}
		if !bytes.Equal(f.Public, c.public) {
			t.Errorf("%s: public half\n%s\nwant\n%s", c.name, f.Public, c.public)
		}
		if (f.Problem == "") != (c.public != nil) {
			t.Errorf("%s: problem %q", c.name, f.Problem)
		}
		b.keepsSecret(path, c)
	}
}

// keepsSecret checks that a key's content comes by no query: not by its own
// name, and not under another.
func (b *bench) keepsSecret(path string, c keyCase) {
	b.t.Helper()
	if f := b.look(transport.File(path)); f.Problem == "" || f.Data != nil {
		b.t.Errorf("%s: the key was read: %q %q", c.name, f.Problem, f.Data)
	}
	if c.header == "" {
		return
	}
	alias := b.at(c.name + ".pem")
	b.do(transport.Create(alias, append([]byte("a certificate\n"), c.content...), 0o600))
	if f := b.look(transport.File(alias)); f.Problem == "" || f.Data != nil {
		b.t.Errorf("%s: the key was read from a file of another name: %q", c.name, f.Problem)
	}
}

func pemText(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func publicPEM(t *testing.T, public any) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(public)
	must(t, err)
	return pemText("PUBLIC KEY", der)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
