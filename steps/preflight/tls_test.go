package preflight

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pair is a certificate with an RSA key of so many bits, and its PEM files.
func pair(t *testing.T, bits int, algorithm x509.SignatureAlgorithm) (cert tls.Certificate, certFile, keyFile string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(0), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), SignatureAlgorithm: algorithm,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	for file, block := range map[string]*pem.Block{
		certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, certFile, keyFile
}

// over runs a server's side of one connection, and looks from the other.
func over(t *testing.T, serve func(net.Conn)) ([]byte, error) {
	t.Helper()
	near, far := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		serve(far)
		_ = far.Close()
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	der, err := Certificate(ctx, near)
	_ = near.Close()
	<-done
	return der, err
}

// What appliances of all ages do: they want a certificate, and some know nothing
// but the RSA key exchange, TLS 1.0 or a short key.
func TestCertificateOfOldAndNew(t *testing.T) {
	for name, c := range map[string]struct {
		bits   int
		config *tls.Config
	}{
		"TLS 1.2":          {2048, &tls.Config{MinVersion: tls.VersionTLS12}},
		"RSA key exchange": {2048, &tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_256_GCM_SHA384}}},
		"3DES":             {2048, &tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA}}},
		"TLS 1.0":          {2048, &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}}},
		"RSA-1024":         {1024, &tls.Config{MaxVersion: tls.VersionTLS12}},
	} {
		t.Run(name, func(t *testing.T) {
			cert, _, _ := pair(t, c.bits, x509.SHA256WithRSA)
			config := c.config
			config.Certificates, config.ClientAuth = []tls.Certificate{cert}, tls.RequireAnyClientCert
			got, err := over(t, func(conn net.Conn) { _ = tls.Server(conn, config).HandshakeContext(t.Context()) }) // it is cut off
			if err != nil || !bytes.Equal(got, cert.Certificate[0]) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
		})
	}
}

// OpenSSL as the server, signed with SHA-1, as boxes of the time before.
func TestCertificateOfOpenSSL(t *testing.T) {
	program, err := exec.LookPath("openssl")
	if err != nil {
		t.Fatal("openssl is missing: install the package openssl")
	}
	cert, certFile, keyFile := pair(t, 2048, x509.SHA1WithRSA)
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	server := exec.CommandContext(ctx, program, "s_server", "-accept", address, "-cert", certFile, "-key", keyFile,
		"-tls1_2", "-cipher", "AES256-SHA:@SECLEVEL=0", "-Verify", "1", "-quiet")
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		stop()
		_ = server.Wait() // killed
	}()
	conn := dial(t, address)
	defer func() { _ = conn.Close() }()
	got, err := Certificate(t.Context(), conn)
	if err != nil || !bytes.Equal(got, cert.Certificate[0]) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// dial waits for somebody to listen.
func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	limit := time.NewTimer(20 * time.Second)
	defer limit.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
		if err == nil {
			return conn
		}
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatal(err)
		}
	}
}

func TestNoCertificate(t *testing.T) {
	for name, serve := range map[string]func(net.Conn){
		"nothing": func(net.Conn) {},
		"another word": func(c net.Conn) {
			_, _ = io.ReadAtLeast(c, make([]byte, 64<<10), 100)
			_, _ = io.WriteString(c, "220 mail.example.net ESMTP\r\n")
		},
		"an alert": func(c net.Conn) {
			_, _ = io.ReadAtLeast(c, make([]byte, 64<<10), 100)
			_, _ = c.Write([]byte{21, 3, 3, 0, 2, 2, 40})
		},
	} {
		if got, err := over(t, serve); err == nil || got != nil {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
	// Whoever says nothing is not waited for.
	near, far := net.Pipe()
	defer func() { _, _ = near.Close(), far.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	go func() { _, _ = io.Copy(io.Discard, far) }()
	if _, err := Certificate(ctx, near); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

func TestInText(t *testing.T) {
	cert, file, key := pair(t, 2048, x509.SHA256WithRSA)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	keyText, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	said := "CONNECTED(00000003)\n---\nServer certificate\n" + string(keyText) + string(text) + "subject=CN=hsm\n"
	if got := InText([]byte(said)); !bytes.Equal(got, cert.Certificate[0]) {
		t.Errorf("%d bytes", len(got))
	}
	for _, text := range []string{"", "CONNECTED(00000003)\nno peer certificate available", strings.ReplaceAll(string(text), "CERTIFICATE", "X509 CRL")} {
		if got := InText([]byte(text)); got != nil {
			t.Errorf("%q: %d bytes", text, len(got))
		}
	}
}
