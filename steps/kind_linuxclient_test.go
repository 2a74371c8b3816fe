package steps

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/orchestrator"
	"ntl-setup/transport"
)

// confFacts are the facts of a host whose session has a variable, and which has
// a configuration.
func confFacts(configDir, conf, text string, more ...transport.Query) transport.Facts {
	facts := transport.Facts{
		transport.System():   {System: "Linux", ConfigDir: configDir},
		transport.File(conf): {Data: []byte(text)},
	}
	for _, q := range more {
		facts[q] = transport.Fact{Names: []string{"vtl"}}
	}
	return facts
}

const minimalConf = `Chrystoki2 = {
  LibUNIX64 = /opt/app/luna/libs/64/libCryptoki2_64.so;
}
LunaSA Client = {
  ClientPrivKeyFile = /opt/app/luna/config/certs/;
  ClientCertFile = /opt/app/luna/config/certs/;
  ServerCAFile = /opt/app/luna/config/certs/CAFile.pem;
}
Misc = {
  ToolsDir = ./bin/64;
}
`

func TestLayoutFollowsTheConfiguration(t *testing.T) {
	const usual, minimal = "/etc/Chrystoki.conf", "/opt/app/luna/config/Chrystoki.conf"
	packages := transport.Dir("/usr/safenet/lunaclient/bin")
	for name, c := range map[string]struct {
		facts transport.Facts
		want  []Layout
	}{
		"packages at their place":         {confFacts("", usual, factoryConf, packages), nil},
		"the variable says what is usual": {confFacts("/etc/", usual, factoryConf, packages), nil},
		"a variable that is no path":      {confFacts("etc/../x", usual, factoryConf, packages), nil},
		"a minimal client": {confFacts("/opt/app/luna/config", minimal, minimalConf), []Layout{{
			Kind: Linux, Base: "/opt/app/luna/config", Locks: "/opt/app/luna/config", Conf: minimal,
			Certs: "/opt/app/luna/config/certs", Trust: "/opt/app/luna/config/certs",
		}}},
		"a minimal client after createCert": {confFacts("/opt/app/luna/config", minimal, strings.NewReplacer(
			"ClientCertFile = /opt/app/luna/config/certs/;", "ClientCertFile = /srv/pairs/192.0.2.10.pem;").Replace(minimalConf)), []Layout{{
			Kind: Linux, Base: "/opt/app/luna/config", Locks: "/opt/app/luna/config", Conf: minimal,
			Certs: "/srv/pairs", Trust: "/opt/app/luna/config/certs",
		}}},
		"packages at another place": {confFacts("", usual, strings.ReplaceAll(factoryConf, "/var/safenet/safenet/lunaclient", "/srv/luna")), []Layout{{
			Kind: Linux, Base: "/srv/luna", Locks: "/srv/luna/cert", Conf: usual,
			Certs: "/srv/luna/cert/client", Trust: "/srv/luna/cert/server",
		}}},
		"no configuration":           {transport.Facts{transport.File(usual): {Missing: true}}, nil},
		"one that is not understood": {confFacts("", usual, "Chrystoki2 = {\n"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := foundOnLinux("", c.facts)
			if len(c.want) == 0 {
				if len(got) != 0 {
					t.Errorf("found %+v", got)
				}
				return
			}
			wantTool := map[bool]string{true: "/opt/app/luna/bin/64/vtl", false: "/srv/luna/bin/vtl"}[strings.HasPrefix(c.want[0].Base, "/opt")]
			for _, l := range got {
				if l.Vtl == wantTool {
					l.Vtl = ""
					if d := cmp.Diff(c.want[0], l); d != "" {
						t.Error(d)
					}
					return
				}
			}
			t.Errorf("no %s in %+v", wantTool, got)
		})
	}
}

// A usual client costs no question more; an unusual one two.
func TestFurtherQuestions(t *testing.T) {
	link := Link{ClientAddress: "192.0.2.10", HSMAddress: "192.0.2.20"}
	if more := furtherOnLinux(link, confFacts("", "/etc/Chrystoki.conf", factoryConf, transport.Dir("/usr/lunasa/bin"))); len(more) != 0 {
		t.Errorf("asked %v", more)
	}
	const conf = "/opt/luna/config/Chrystoki.conf"
	more := furtherOnLinux(link, transport.Facts{transport.System(): {ConfigDir: "/opt/luna/config"}})
	if d := cmp.Diff([]transport.Query{transport.File(conf)}, more); d != "" {
		t.Error(d)
	}
	more = furtherOnLinux(link, confFacts("/opt/luna/config", conf, minimalConf))
	if len(more) < 10 {
		t.Errorf("asked only %v", more)
	}
}

func TestBeforeTheFirstCreateCert(t *testing.T) {
	facts := confFacts("/opt/app/luna/config", "/opt/app/luna/config/Chrystoki.conf", minimalConf)
	const certs = "/opt/app/luna/config/certs/"
	facts[transport.File(certs)] = transport.Fact{Directory: true, Problem: "not a regular file"}
	facts[transport.Key(certs)] = transport.Fact{Directory: true, Problem: "not a regular file"}
	if (namedFiles{cert: certs, key: certs}).exists(facts) {
		t.Error("a bare directory was taken for a pair")
	}
}

func TestLacksOnLinux(t *testing.T) {
	l := linux().places("")[0]
	denied := transport.Fact{Problem: "cat: x: Permission denied"}
	for name, c := range map[string]struct {
		facts       transport.Facts
		read, write []string
	}{
		"root":             {transport.Facts{transport.File(l.Conf): {}}, nil, nil},
		"a stranger":       {transport.Facts{transport.File(l.Conf): denied, transport.Dir(l.Certs): denied}, []string{l.Conf, l.Certs}, nil},
		"may only read":    {transport.Facts{transport.File(l.Conf): {Unwritable: true}, transport.Stat(l.Locks): {Unwritable: true}}, nil, []string{l.Conf, l.Locks}},
		"nothing is there": {transport.Facts{transport.File(l.CAFile()): {Missing: true, Unwritable: true}}, nil, nil},
		"beside the point": {transport.Facts{transport.Stat("/etc"): {Unwritable: true}}, nil, nil},
	} {
		no := lacksOnLinux(l, c.facts)
		if d := cmp.Diff(c.read, no.read) + cmp.Diff(c.write, no.write); d != "" || no.any() != (c.read != nil || c.write != nil) {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func TestRemarksOnLinux(t *testing.T) {
	l := linux().places("")[0]
	remarks := func(conf, text string, more transport.Facts) []string {
		l.Conf = conf
		facts := confFacts("", conf, text)
		for q, f := range more {
			facts[q] = f
		}
		return remarksOnLinux(l, "", facts)
	}
	if got := remarks("/etc/Chrystoki.conf", factoryConf, nil); len(got) != 0 {
		t.Errorf("%q", got)
	}
	got := remarks("/etc/Chrystoki.conf", "# Managed by \x1b[1mansible\n"+factoryConf, nil)
	if len(got) != 1 || !strings.Contains(got[0], "something else writes it") || strings.Contains(got[0], "\x1b") {
		t.Errorf("%q", got)
	}
	got = remarks("/opt/x/Chrystoki.conf", minimalConf, transport.Facts{transport.File("/etc/Chrystoki.conf"): {Data: []byte("x")}})
	if len(got) != 1 || !strings.Contains(got[0], "two configurations") {
		t.Errorf("%q", got)
	}
}

// A kind that is wrong gets one answer, whatever the host is.
func TestAnotherKindOfHost(t *testing.T) {
	for name, c := range map[string]struct {
		site  *site
		kind  Kind
		class string
		says  string
	}{
		"a Linux host for a NetScaler": {newLinux(t, "0"), NetScaler, "config", "no host of --client-kind netscaler"},
		"a Linux host for Windows":     {newLinux(t, "0"), Windows, "config", "no host of --client-kind windows"},
		"a Linux host as it is":        {newLinux(t, "0"), Linux, "", ""},
		"a NetScaler as it is":         {newSite(t), NetScaler, "", ""},
	} {
		c.site.link.Kind = c.kind
		_, err := c.site.openWith(&elevator{})
		if c.class == "" && err == nil {
			continue
		}
		if err == nil || orchestrator.Fail(err).Class != c.class || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s := newLinux(t, "0")
	s.host.Delete(lunaclient + "/bin/vtl")
	s.link.Kind = Linux
	if _, err := s.openWith(&elevator{}); err == nil || !strings.Contains(err.Error(), "no Luna client on this linux host: looked for /") || strings.Count(err.Error(), lunaclient+"/bin/vtl") != 1 || strings.ContainsAny(err.Error(), "[]") {
		t.Error(err)
	}
}

// root's umask 077 leaves the bundle to root, where a group shares the directory.
func TestTrustThatTheGroupCannotRead(t *testing.T) {
	link := Link{HSMAddress: "192.0.2.20"}
	dir := lunaclient + "/cert/server"
	c := &clientFacts{layout: unixLayout(Linux, "", lunaclient), trust: trust{path: dir + "/CAFile.pem"}}
	facts := transport.Facts{
		transport.Dir(dir):                          {Mode: 0o770 | fs.ModeSetgid, Group: "999"},
		transport.File(dir + "/CAFile.pem"):         {Mode: 0o600},
		transport.File(dir + "/192.0.2.20Cert.pem"): {Mode: 0o600},
	}
	got := closedTrust(link, c, facts)
	if len(got) != 2 || !strings.HasPrefix(got[0], dir+"/CAFile.pem has mode 0600 in a directory that group 999 shares") || !strings.HasPrefix(got[1], dir+"/192.0.2.20Cert.pem has") {
		t.Errorf("%q", got)
	}
	facts[transport.File(dir+"/CAFile.pem")] = transport.Fact{Mode: 0o644}
	facts[transport.File(dir+"/192.0.2.20Cert.pem")] = transport.Fact{Missing: true}
	if got := closedTrust(link, c, facts); len(got) != 0 {
		t.Errorf("%q", got)
	}
	said := addServer(link, newEyes(Hosts{}, link), nil).(orchestrator.Reconcile[serverTrust]).Explain(serverTrust{client: &clientFacts{trust: trust{notes: []string{"one", "two"}}}}, serverTrust{})
	if !strings.HasSuffix(said, "; one; two") {
		t.Errorf("%q", said)
	}
}

func TestKeyThatTheGroupCannotRead(t *testing.T) {
	shared := transport.Fact{Mode: 0o770 | fs.ModeSetgid, Group: "999"}
	if got := closedToGroup("the key", shared, transport.Fact{Mode: 0o600, Group: "999"}); len(got) != 1 || !strings.Contains(got[0], "mode 0600") || !strings.Contains(got[0], "group 999") {
		t.Errorf("%q", got)
	}
	for name, c := range map[string]struct{ dir, key transport.Fact }{
		"readable":         {shared, transport.Fact{Mode: 0o640}},
		"root's directory": {transport.Fact{Mode: 0o755, Group: "0"}, transport.Fact{Mode: 0o600}},
		"nobody was asked": {transport.Fact{}, transport.Fact{Mode: 0o600}},
		"there is no key":  {shared, transport.Fact{Missing: true}},
		"of root's group":  {transport.Fact{Mode: 0o770 | fs.ModeSetgid, Group: "0"}, transport.Fact{Mode: 0o600}},
	} {
		if got := closedToGroup("the key", c.dir, c.key); len(got) != 0 {
			t.Errorf("%s: %q", name, got)
		}
	}
}
