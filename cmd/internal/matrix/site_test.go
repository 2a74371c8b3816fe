package matrix

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"ntl-setup/fixtures/faults"
	"ntl-setup/fixtures/luna"
	"ntl-setup/steps"
	"ntl-setup/steps/chrystoki"
	"ntl-setup/transport/transporttest"
)

// Where things lie on the client.
const (
	base      = "/var/safenet/safenet/lunaclient"
	vtlPath   = base + "/bin/vtl"
	confPath  = "/etc/Chrystoki.conf"
	savedPath = "/var/safenet/config/Chrystoki.conf"
	caFile    = base + "/cert/server/CAFile.pem"
	gwPath    = "/var/safenet/gateway/safenet_gw"
	marker    = "/var/safenet/safenet_is_enrolled"
	handover  = base + "/cert/server/.ntl-setup-"
	lock      = base + "/.ntl-setup.lock/"
	ownCert   = base + "/cert/client/192.0.2.10.pem"
	ownKey    = base + "/cert/client/192.0.2.10Key.pem"
	hsm       = "192.0.2.20"
	otherHSM  = "192.0.2.77"
	ours      = "NS-web1"
	partition = "partition6"
)

const factoryConf = `Chrystoki2 = {
   LibUNIX64 = /var/safenet/safenet/lunaclient/lib/libCryptoki2_64.so;
}

Misc = {
  SomebodysOwn = 7;
}

LunaSA Client = {
   ReceiveTimeout = 20000;
   ClientPrivKeyFile = /var/safenet/safenet/lunaclient/cert/client/ClientNameKey.pem;
   ClientCertFile = /var/safenet/safenet/lunaclient/cert/client/ClientNameCert.pem;
   ServerCAFile = /var/safenet/safenet/lunaclient/cert/server/CAFile.pem;
   NetClient = 1;
}
`

// kit is what is slow to make, made once for all combinations.
type kit struct {
	appliances map[string]string // by dialect: a directory to copy
	made       time.Time
	key        *rsa.PrivateKey
	own        []byte // the certificate that vtl makes: CN, key and all
	foreign    []byte // another HSM's certificate
}

var theKit = sync.OnceValues(func() (*kit, error) {
	k := &kit{appliances: map[string]string{}, made: time.Now().Add(time.Minute)}
	var keys [2]*rsa.PrivateKey
	var err error
	for i := range keys {
		if keys[i], err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			return nil, err
		}
	}
	k.key = keys[0]
	if k.own, err = certify("192.0.2.10", keys[0], k.made); err != nil {
		return nil, err
	}
	if k.foreign, err = certify("192.0.2.99", keys[1], k.made); err != nil {
		return nil, err
	}
	for _, dialect := range []string{"5", "7", "7.9"} {
		at := filepath.Join(scratch, "hsm-"+dialect)
		k.appliances[dialect] = at
		_, err := luna.Create(at, luna.State{
			Dialect: dialect, Options: luna.Options{Latency: 30 * time.Millisecond},
			Clients: []luna.Client{
				{Name: "NS-web10", IP: "192.0.2.98", Certificate: "somebody's", At: k.made, Partitions: []luna.Assignment{{Partition: "partition1", At: k.made}}},
				{Name: "db one", Hostname: "db.example", Certificate: "somebody's", At: k.made},
			},
		})
		if err != nil {
			return nil, err
		}
	}
	return k, nil
})

func certify(cn string, key *rsa.PrivateKey, now time.Time) ([]byte, error) {
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: cn, Organization: []string{"Matrix"}},
		NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(9, 0, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
}

// setting is how a site begins.
type setting struct {
	name    string
	dialect string
	settled bool          // the client has its pair, and another HSM
	ntls    time.Duration // until NTLS notices a registration
	third   int           // which of every three faults it meets; each is met by some site
}

func settings() []setting {
	return []setting{
		{name: "virgin, 5", dialect: "5", third: 0},
		{name: "settled, 7", dialect: "7", settled: true, ntls: 4 * time.Second, third: 1},
		{name: "virgin, 7.9", dialect: "7.9", ntls: time.Second, third: 2},
	}
}

// site is a client host and an appliance, with the evidence of what was done.
type site struct {
	t       *testing.T
	kit     *kit
	setting setting
	client  *transporttest.FakeHost
	app     *luna.Appliance
	before  map[string]string // the client's files at the beginning
	stamps  int

	mu      sync.Mutex // of the client: a vtl may work on beside a run
	inject  *faults.Injector
	tool    faults.Kind
	toolSet bool
	looks   int
	made    int      // whole pairs that vtl made
	called  []string // words of vtl
}

func newSite(t *testing.T, set setting) *site {
	t.Helper()
	k, err := theKit()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "hsm"), os.DirFS(k.appliances[set.dialect])); err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, kit: k, setting: set, app: luna.Open(filepath.Join(dir, "hsm"))}
	h := transporttest.NewHost("root@192.0.2.10:22")
	s.client = h
	h.System, h.Clock = "FreeBSD", k.made
	for _, dir := range []string{"/bin", "/netscaler", base + "/bin", base + "/cert/client", base + "/cert/server", "/var/safenet/config", "/var/safenet/gateway"} {
		h.Dir(dir, 0o755)
	}
	for _, program := range []string{"/bin/sh", vtlPath, "/var/safenet/gateway/start_safenet_gw"} {
		h.Put(program, []byte("#!"), 0o755)
	}
	h.Put("/var/safenet/config/notes.txt", []byte("somebody's own\n"), 0o600)
	h.Put(base+"/cert/client/OldKey.pem", []byte("somebody's own\n"), 0o600)
	h.Put(confPath, []byte(factoryConf), 0o644)
	if set.settled {
		s.putPair()
		s.trust(otherHSM, k.foreign, "")
		stale := s.app.UserDir("admin") // what somebody uploaded under our name before
		if err := os.MkdirAll(stale, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(stale, "192.0.2.10.pem"), k.foreign, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	conf, _ := h.Get(confPath)
	h.Put(savedPath, conf, 0o644)
	began := time.Now()
	h.Now = func() time.Time { return k.made.Add(time.Since(began)) } // locks expire
	h.Vtl = s.vtl
	h.Start = func([]string) { h.Launch(gwPath, "") }
	s.before = s.files()
	return s
}

func (s *site) link() steps.Link {
	s.stamps++
	return steps.Link{
		Name: ours, ClientAddress: "192.0.2.10", HSMAddress: hsm, Partitions: []string{partition},
		Stamp: time.Unix(int64(1e9+s.stamps), 0).UTC().Format("20060102T150405Z"),
	}
}

func (s *site) files() map[string]string {
	all := map[string]string{}
	for _, name := range s.client.Files() {
		data, _ := s.client.Get(name)
		all[name] = string(data)
	}
	return all
}

// putPair lays the pair where vtl makes it, and names it in the configuration.
func (s *site) putPair() {
	s.putKey()
	s.client.Put(ownCert, s.kit.own, 0o644)
	s.nameOwnPair()
}

func (s *site) putKey() {
	text := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(s.kit.key)})
	s.client.Put(ownKey, text, fs.FileMode(0o600))
}

func (s *site) nameOwnPair() {
	s.edit(func(f *chrystoki.File) error {
		if err := f.Set("LunaSA Client", "ClientCertFile", ownCert); err != nil {
			return err
		}
		return f.Set("LunaSA Client", "ClientPrivKeyFile", ownKey)
	})
}

func (s *site) conf() *chrystoki.File {
	data, _ := s.client.Get(confPath)
	f, err := chrystoki.Parse(data)
	if err != nil {
		s.t.Error(err)
		f = &chrystoki.File{}
	}
	return f
}

func (s *site) edit(change func(*chrystoki.File) error) {
	f := s.conf()
	if err := change(f); err != nil {
		s.t.Error(err)
	}
	s.client.Put(confPath, f.Bytes(), 0o644)
}

// trust is what addServer does, in its order; it stops before the third deed or
// after the first where it dies.
func (s *site) trust(name string, cert []byte, dies faults.Kind) {
	s.client.Put(base+"/cert/server/"+name+"Cert.pem", cert, 0o644)
	if dies == faults.Dies {
		return
	}
	bundle, _ := s.client.Get(caFile)
	s.client.Put(caFile, append(bundle, cert...), 0o644)
	if dies == faults.DiesLate {
		return
	}
	s.edit(func(f *chrystoki.File) error { return f.AddServer(name, luna.NTLSPort) })
}

func (s *site) serverPEM() []byte {
	data, err := s.app.ServerCertificate()
	if err != nil {
		s.t.Error(err)
	}
	return bytes.TrimSpace(data)
}
