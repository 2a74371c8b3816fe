package steps

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A plan keeps what the client's files held, as digests; what is not there counts
// too, and nothing is asked for it that was not asked before.
func TestDigests(t *testing.T) {
	sum := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return hex.EncodeToString(sum[:])
	}
	s := newSite(t)
	bundle, pair := base+"/cert/server/CAFile.pem", base+"/cert/client/192.0.2.10.pem"
	opened := s.open()
	looks := s.host.Exchanges
	want := map[string]string{confPath: sum(factoryConf), savedPath: sum(factoryConf), bundle: absent, pair: absent}
	if diff := cmp.Diff(want, opened.Digests(t.Context())); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if n := s.host.Exchanges; n != looks {
		t.Errorf("%d exchanges", n-looks)
	}
	// What the first step makes, and what a configuration names elsewhere.
	s.putPair("192.0.2.10", keys()[1])
	s.host.Put("/etc/other.pem", certify("602114", keys()[0], nextDecade), 0o644)
	s.setConf(map[string]string{"ServerCAFile": "/etc/other.pem"})
	for _, path := range []string{confPath, pair, "/etc/other.pem"} {
		text, there := s.host.Get(path)
		if !there {
			t.Fatal(path)
		}
		want[path] = sum(string(text))
	}
	delete(want, bundle)
	if diff := cmp.Diff(want, s.open().Digests(t.Context())); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
