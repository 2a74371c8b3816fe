package steps

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"ntl-setup/transport"
)

// absent is the digest of a file that is not there.
const absent = "absent"

// Digests are the client's files that the steps read or write, by path: both
// copies of the configuration, the bundle of servers' certificates and the
// client's certificate. A value is the SHA-256 of the content in hex, "absent" or
// "unreadable"; so a plan can tell later that somebody changed one of them, and
// holds nothing of what is in it. They are of the last look at the client, and
// ask nothing anew; nil if that failed.
func (s *Site) Digests(ctx context.Context) map[string]string {
	facts, err := s.see.client(ctx)
	if err != nil {
		return nil
	}
	return facts.digests
}

// digestsOf are the digests of what was read.
func digestsOf(c *clientFacts, facts transport.Facts) map[string]string {
	digests := map[string]string{}
	for _, path := range []string{c.layout.Conf, c.layout.Persisted, c.trust.path, c.pair.certPath} {
		fact, asked := facts[transport.File(path)]
		switch {
		case path == "" || !asked:
		case fact.Missing:
			digests[path] = absent
		case fact.Problem != "" || fact.Directory:
			digests[path] = "unreadable"
		default:
			sum := sha256.Sum256(fact.Data)
			digests[path] = hex.EncodeToString(sum[:])
		}
	}
	return digests
}
