package steps

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io/fs"
	"math/big"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ntl-setup/orchestrator"
	"ntl-setup/steps/chrystoki"
	"ntl-setup/transport"
	"ntl-setup/transport/lunash"
	"ntl-setup/transport/transporttest"
)

const (
	base      = "/var/safenet/safenet/lunaclient"
	vtlPath   = base + "/bin/vtl"
	confPath  = "/etc/Chrystoki.conf"
	savedPath = "/var/safenet/config/Chrystoki.conf"
	caFile    = base + "/cert/server/CAFile.pem"
	gwPath    = "/var/safenet/gateway/safenet_gw"
	marker    = "/var/safenet/safenet_is_enrolled"
	ownCert   = base + "/cert/client/192.0.2.10.pem"
	ownKey    = base + "/cert/client/192.0.2.10Key.pem"
	hsmName   = "192.0.2.20"
	serial6   = "602114017"
)

const factoryConf = `Chrystoki2 = {
   LibUNIX64 = /var/safenet/safenet/lunaclient/lib/libCryptoki2_64.so;
}

Luna = {
  DefaultTimeOut = 500000;
}

LunaSA Client = {
   ReceiveTimeout = 20000;
   SSLConfigFile = /var/safenet/safenet/lunaclient/bin/openssl.cnf;
   ClientPrivKeyFile = /var/safenet/safenet/lunaclient/cert/client/ClientNameKey.pem;
   ClientCertFile = /var/safenet/safenet/lunaclient/cert/client/ClientNameCert.pem;
   ServerCAFile = /var/safenet/safenet/lunaclient/cert/server/CAFile.pem;
   NetClient = 1;
}
`

// keys are a handful of RSA keys, made once: making them is the slow part.
var keys = sync.OnceValue(func() []*rsa.PrivateKey {
	var all []*rsa.PrivateKey
	for range 4 {
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		all = append(all, k)
	}
	return all
})

// certify makes a self-signed certificate valid around the fake clock.
func certify(cn string, key *rsa.PrivateKey, until time.Time) []byte {
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: cn, Organization: []string{"Example HSM"}},
		NotBefore: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: until,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

var nextDecade = time.Date(2036, 1, 1, 0, 0, 0, 0, time.UTC)

func keyPEM(key *rsa.PrivateKey) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
}

// certOf parses what certify made.
func certOf(text []byte) *x509.Certificate {
	c, err := parseCertificate(text)
	if err != nil {
		panic(err)
	}
	return c
}

// site is a NetScaler and an appliance in memory.
type site struct {
	t    *testing.T
	host *transporttest.FakeHost
	hsm  *fakeHSM
	link Link
	made int // pairs that vtl made
}

// newSite is a virgin NetScaler VPX and an appliance that does not know it.
func newSite(t *testing.T) *site {
	t.Helper()
	h := transporttest.NewHost("root@192.0.2.10:22")
	h.System = "FreeBSD"
	for _, dir := range []string{"/netscaler", base + "/bin", base + "/cert/client", base + "/cert/server", "/etc", "/var/safenet/config", "/var/safenet/gateway"} {
		h.Dir(dir, 0o755)
	}
	h.Dir("/bin", 0o755)
	h.Put("/bin/sh", []byte("#!"), 0o755)
	h.Put(vtlPath, []byte("#!"), 0o755)
	h.Put(base+"/lib/libCryptoki2_64.so", []byte("\x7fELF"), 0o644)
	h.Link("/usr/lib/libCryptoki2_64.so", base+"/lib/libCryptoki2_64.so")
	h.Put("/var/safenet/gateway/start_safenet_gw", []byte("#!/bin/sh\n"), 0o755)
	h.Put(confPath, []byte(factoryConf), 0o644)
	h.Put(savedPath, []byte(factoryConf), 0o644)
	s := &site{t: t, host: h, hsm: newFakeHSM(certify("602114", keys()[0], nextDecade))}
	s.hsm.partitions = []lunash.Partition{{Serial: "602114011", Name: "partition1"}, {Serial: serial6, Name: "partition6"}}
	s.link = Link{
		Name: "NS-web1", ClientAddress: "192.0.2.10", HSMAddress: hsmName,
		Partitions: []string{"partition6"}, Stamp: "20260302T093000Z",
	}
	h.Vtl = s.vtl
	h.Start = func([]string) { h.Launch(gwPath, "") }
	return s
}

// vtl does what the real one does to files, by the plainest means.
func (s *site) vtl(h *transporttest.FakeHost, argv []string) (string, int) {
	switch argv[1] {
	case "createCert":
		s.made++
		s.putPair(argv[3], keys()[1])
		s.setConf(map[string]string{
			"ClientCertFile":    path.Join(base, "cert/client", argv[3]+".pem"),
			"ClientPrivKeyFile": path.Join(base, "cert/client", argv[3]+"Key.pem"),
		})
		return fmt.Sprintf("Private Key created and written to: %s\nCertificate created and written to: %s\n",
			path.Join(base, "cert/client", argv[3]+"Key.pem"), path.Join(base, "cert/client", argv[3]+".pem")), 0
	case "addServer":
		pem, _ := h.Get(argv[5])
		s.trustServer(argv[3], pem)
		return fmt.Sprintf("\nNew server %s successfully added to server list.\n", argv[3]), 0
	case "listServers":
		return s.listServers(), 0
	case "verify":
		return s.verify(), 0
	}
	return "Error: unknown command\n", 0
}

// putPair lays a certificate pair where vtl would.
func (s *site) putPair(cn string, key *rsa.PrivateKey) {
	s.host.Put(path.Join(base, "cert/client", cn+"Key.pem"), keyPEM(key), 0o600)
	s.host.Put(path.Join(base, "cert/client", cn+".pem"), certify(cn, key, nextDecade), 0o644)
}

func (s *site) conf() *chrystoki.File {
	data, _ := s.host.Get(confPath)
	f, err := chrystoki.Parse(data)
	if err != nil { // vtl reads on regardless
		f, err = chrystoki.Parse(nil)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return f
}

func (s *site) setConf(values map[string]string) {
	f := s.conf()
	for k, v := range values {
		if err := f.Set("LunaSA Client", k, v); err != nil {
			s.t.Fatal(err)
		}
	}
	s.host.Put(confPath, f.Bytes(), 0o644)
}

// trustServer is what addServer does.
func (s *site) trustServer(name string, cert []byte) {
	bundle, _ := s.host.Get(caFile)
	s.host.Put(caFile, append(bundle, cert...), 0o644)
	s.host.Put(path.Join(base, "cert/server", name+"Cert.pem"), cert, 0o644)
	f := s.conf()
	if err := f.AddServer(name, 1792); err != nil {
		s.t.Fatal(err)
	}
	s.host.Put(confPath, f.Bytes(), 0o644)
}

func (s *site) listServers() string {
	var b strings.Builder
	for _, server := range s.conf().Servers() {
		fmt.Fprintf(&b, "Server: %s  HTL required: no\n", server.Name)
	}
	if b.Len() == 0 {
		return "There are no servers registered.\n"
	}
	return b.String()
}

// verify is honest: it lists a partition only if trust, registration and
// assignment are right.
func (s *site) verify() string {
	const none = "Error: Unable to find any Luna SA slots/partitions among registered servers.\n"
	certFile, _ := s.conf().Identity()
	own, _ := s.host.Get(certFile)
	bundle, _ := s.host.Get(caFile)
	c := s.hsm.clients[s.link.Name]
	if c == nil || !strings.Contains(string(bundle), string(s.hsm.files["server.pem"])) || string(c.cert) != string(own) {
		return none
	}
	rows := ""
	for i, name := range c.Partitions {
		for _, p := range s.hsm.partitions {
			if p.Name == name {
				rows += fmt.Sprintf("   %d\t%16s \t%s\n", i, p.Serial, p.Name)
			}
		}
	}
	if rows == "" {
		return none
	}
	return "\nThe following Luna SA Slots/Partitions were found:\n\nSlot\tSerial #        \tLabel\n====\t================\t=====\n" + rows + "\n"
}

// open connects the steps to the site.
func (s *site) open() *Site {
	s.t.Helper()
	opened, err := Open(s.t.Context(), Hosts{Client: s.host, HSM: s.hsm}, s.link)
	if err != nil {
		s.t.Fatal(err)
	}
	return opened
}

func (s *site) plan() orchestrator.Report {
	s.t.Helper()
	return orchestrator.Engine{Steps: s.open().All()}.Plan(s.t.Context())
}

func (s *site) apply() orchestrator.Report {
	s.t.Helper()
	return orchestrator.Engine{Steps: s.open().All()}.Apply(s.t.Context(), func([]orchestrator.StepReport) error { return nil }, nil)
}

// world is everything that can be changed, as one comparable map.
func (s *site) world() map[string]string {
	w := map[string]string{}
	for _, f := range s.host.Files() {
		data, _ := s.host.Get(f)
		w[f] = string(data)
	}
	for name, c := range s.hsm.clients {
		w["hsm client "+name] = fmt.Sprint(c.Address, c.Partitions)
	}
	for name, data := range s.hsm.files {
		w["hsm file "+name] = string(data)
	}
	for i, p := range s.host.Running {
		w[fmt.Sprintf("process %d", i)] = fmt.Sprint(p.PID, p.Executable)
	}
	return w
}

// fakeHSM is an appliance in memory.
type fakeHSM struct {
	clients    map[string]*fakeClient
	order      []string
	partitions []lunash.Partition
	files      map[string][]byte
	writes     []string         // every command that changed something, in order
	denied     map[string]bool  // commands that this user's role lacks
	errs       map[string]error // by command: returned before the deed
	lost       map[string]error // by command: returned after the deed
	oddDigest  bool
	hostIPs    []lunash.HostIP
	oddHostIP  bool   // `client hostip show` is not understood
	swap       []byte // registered instead of the certificate that was sent
	consume    bool   // register removes the uploaded file
	mu         sync.Mutex
}

type fakeClient struct {
	lunash.Client
	cert []byte
}

func newFakeHSM(serverPEM []byte) *fakeHSM {
	return &fakeHSM{
		clients: map[string]*fakeClient{}, files: map[string][]byte{"server.pem": serverPEM},
		denied: map[string]bool{}, errs: map[string]error{}, lost: map[string]error{},
	}
}

func (h *fakeHSM) refuse(command string, kind error) error {
	return &lunash.ReplyError{Host: h.Name(), Command: command, Code: 65535, Text: "Error: refused", Kind: kind}
}

func (h *fakeHSM) ask(command string) error {
	if h.denied[command] {
		return h.refuse(command, lunash.ErrNotAllowed)
	}
	return h.errs[command]
}

func (h *fakeHSM) Name() string { return "admin@192.0.2.20:22" }
func (h *fakeHSM) Close() error { return nil }

func (h *fakeHSM) Clients(context.Context) ([]string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.order), h.ask("client list")
}

func (h *fakeHSM) Client(_ context.Context, name string) (lunash.Client, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.ask("client show"); err != nil {
		return lunash.Client{}, err
	}
	c := h.clients[name]
	if c == nil {
		return lunash.Client{}, h.refuse("client show", lunash.ErrNoSuchClient)
	}
	return c.Client, nil
}

func (h *fakeHSM) Fingerprint(_ context.Context, name string) (lunash.Digest, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.ask("client fingerprint"); err != nil {
		return lunash.Digest{}, err
	}
	if h.oddDigest {
		return lunash.Digest{Text: "AB:CD"}, nil
	}
	sum := sha256.Sum256(certOf(h.clients[name].cert).Raw)
	return lunash.Digest{Algorithm: "SHA-256", Sum: hex.EncodeToString(sum[:]), Text: "a digest"}, nil
}

func (h *fakeHSM) Partitions(context.Context) ([]lunash.Partition, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.partitions, h.ask("partition list")
}

func (h *fakeHSM) Fetch(_ context.Context, name string) ([]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.ask("fetch " + name); err != nil {
		return nil, err
	}
	data, ok := h.files[name]
	if !ok {
		return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
	}
	return data, nil
}

func (h *fakeHSM) Store(_ context.Context, name string, data []byte) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.ask("store"); err != nil {
		return err
	}
	h.files[name] = data
	h.writes = append(h.writes, "store "+name)
	return h.lost["store"]
}

func (h *fakeHSM) Register(_ context.Context, r lunash.Registration) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.ask("client register"); err != nil {
		return err
	}
	cert := h.files[r.Address+".pem"]
	switch {
	case h.clients[r.Name] != nil:
		return h.refuse("client register", lunash.ErrClientExists)
	case cert == nil:
		return h.refuse("client register", lunash.ErrNoCertificateFile)
	}
	for _, c := range h.clients {
		if c.Address == r.Address {
			return h.refuse("client register", lunash.ErrAddressTaken)
		}
	}
	if h.swap != nil {
		cert = h.swap
	}
	h.add(r.Name, r.Address, cert)
	if h.consume {
		delete(h.files, r.Address+".pem")
	}
	h.writes = append(h.writes, "register "+r.Name)
	return h.lost["client register"]
}

func (h *fakeHSM) add(name, address string, cert []byte) {
	h.clients[name] = &fakeClient{Client: lunash.Client{Name: name, Address: address}, cert: cert}
	h.order = append(h.order, name)
}

func (h *fakeHSM) Assign(_ context.Context, client, partition string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.ask("client assignPartition"); err != nil {
		return err
	}
	if !slices.ContainsFunc(h.partitions, func(p lunash.Partition) bool { return p.Name == partition }) {
		return h.refuse("client assignPartition", lunash.ErrNoSuchPartition)
	}
	c := h.clients[client]
	if slices.Contains(c.Partitions, partition) {
		return h.refuse("client assignPartition", lunash.ErrAlreadyAssigned)
	}
	c.Partitions = append(c.Partitions, partition)
	h.writes = append(h.writes, "assign "+partition)
	return h.lost["client assignPartition"]
}

var _ lunash.Appliance = (*fakeHSM)(nil)
var _ transport.Host = (*transporttest.FakeHost)(nil)
