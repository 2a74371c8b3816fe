package steps

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ntl-setup/orchestrator"
	"ntl-setup/transport"
	"ntl-setup/transport/lunash"
	"ntl-setup/transport/transporttest"
)

// steering is text that would swallow what is composed behind it.
const steering = "\x1b[31mred\x1b]0;never ended \u202e\u200b\x9b\r\n\x07"

// Remote text is cleaned before it is set between words of ours, not only when
// the whole is shown: an escape sequence that never ends must not swallow the
// rest of our own sentence.
func TestRemoteTextIsCleanBeforeItIsComposed(t *testing.T) {
	pair := func(s *site) { s.putPair("192.0.2.10", keys()[1]) }
	for name, lay := range map[string]func(*site){
		"holder": func(s *site) { s.hsm.add(steering, "192.0.2.10", nil) },
		"holder, looked for": func(s *site) {
			s.link.Deep = true
			s.hsm.add("a", "192.0.2.10", nil)
			s.hsm.clients["a"].Name = steering
		},
		"another address": both(pair, func(s *site) { own, _ := s.host.Get(ownCert); s.hsm.add("NS-web1", steering, own) }),
		"partitions":      func(s *site) { s.hsm.partitions = []lunash.Partition{{Serial: "602114011", Name: steering}} },
		"an odd digest": both(pair, func(s *site) {
			own, _ := s.host.Get(ownCert)
			s.hsm.oddDigest = true
			s.hsm.add("NS-web1", "192.0.2.10", own)
		}),
		"common name":     both(pair, put(ownCert, certify(strings.ReplaceAll(steering, "\x9b", ""), keys()[1], nextDecade))),
		"a server's name": both(pair, func(s *site) { evilServer(s, "x\x1b]0;\u202e") }),
		"a vtl at work":   func(s *site) { s.host.Launch(vtlPath, "createCert -n "+steering) },
		"vtl verify": func(s *site) {
			honest := s.host.Vtl
			s.host.Vtl = func(h *transporttest.FakeHost, argv []string) (string, int) {
				if argv[1] == "verify" {
					return "Error: " + steering + "\n", 0
				}
				return honest(h, argv)
			}
		},
		"vtl fails": func(s *site) {
			s.host.Vtl = func(*transporttest.FakeHost, []string) (string, int) { return "Error: " + steering + "\n", 0 }
		},
		"a lost label": func(s *site) {
			s.host.Put(savedPath, []byte(factoryConf+"VirtualToken = {\n  VirtualToken00Label = a\u202eb\u200bc;\n}\n"), 0o644)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t)
				lay(s)
				for _, text := range told(t, s) {
					if transport.Printable(text) != strings.Join(strings.Split(text, "  "), " ") { // ps pads its dates
						t.Errorf("not clean: %q", text)
					}
				}
			})
		})
	}
}

// told is every one-line text of an apply.
func told(t *testing.T, s *site) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour) // a vtl at work is waited for
	defer cancel()
	var all []string
	waiting := func(what string) { all = append(all, what) }
	site, err := Open(ctx, Hosts{Client: s.host, HSM: s.hsm, Waiting: waiting}, s.link)
	if err != nil {
		f := orchestrator.Fail(err)
		return append(all, f.Message, f.Hint)
	}
	all = append(all, site.Notes(t.Context())...)
	r := orchestrator.Engine{Steps: site.All()}.Apply(t.Context(), func([]orchestrator.StepReport) error { return nil }, nil)
	for _, step := range r.Steps {
		all = append(all, step.Reason, step.Hint)
		for _, c := range step.Changes {
			all = append(all, c.Field, c.Have, c.Want)
		}
		if step.Err != nil {
			all = append(all, step.Err.Message, step.Err.Hint)
		}
	}
	return all
}
