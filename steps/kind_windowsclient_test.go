package steps

import (
	"context"
	"fmt"
	"path"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/orchestrator"
	"ntl-setup/transport"
)

// windowsReader is a Windows host as far as a look at it goes: files by their
// paths, everything else missing; paths that are none of Windows are a problem.
type windowsReader struct {
	files     map[string]string
	configDir string
	looks     int
}

func (r *windowsReader) Name() string { return "admin@192.0.2.30:22" }

func (r *windowsReader) Look(_ context.Context, queries ...transport.Query) (transport.Facts, error) {
	r.looks++
	facts := transport.Facts{}
	for _, q := range queries {
		facts[q] = r.fact(q)
	}
	return facts, nil
}

func (r *windowsReader) fact(q transport.Query) transport.Fact {
	if q.Kind == transport.QuerySystem {
		return transport.Fact{System: "Windows", ConfigDir: r.configDir}
	}
	if !hasDrive(q.Path) {
		return transport.Fact{Problem: "not a whole path of a Windows machine"}
	}
	if strings.Contains(q.Path, "&") {
		return transport.Fact{Problem: fmt.Sprintf("%q holds a character that cannot be given to cmd.exe safely", path.Dir(q.Path+"/x"))}
	}
	switch q.Kind {
	case transport.QueryDir:
		var names []string
		for file := range r.files {
			if rest, ok := strings.CutPrefix(file, q.Path+"/"); ok && !strings.Contains(rest, "/") {
				names = append(names, rest)
			}
		}
		return transport.Fact{Missing: names == nil, Names: names}
	case transport.QueryVtl:
		return transport.Fact{Data: []byte("There are no servers registered.\r\n")}
	case transport.QueryProcesses, transport.QueryAddresses:
		return transport.Fact{}
	default:
		text, ok := r.files[q.Path]
		return transport.Fact{Missing: !ok, Data: []byte(text)}
	}
}

const (
	lunaWindows = "C:/Program Files/SafeNet/LunaClient"
	oldWindows  = "C:/Program Files/LunaSA"
)

// iniOf is a crystoki.ini that names a pair which is not there yet.
func iniOf(certFile string) string {
	return "[LunaSA Client]\r\nClientCertFile=" + certFile + "\r\nClientPrivKeyFile=C:\\x\\wKey.pem\r\nNetClient=1\r\n"
}

func TestWindowsIsRecognised(t *testing.T) {
	for name, c := range map[string]struct {
		files     []string
		configDir string
		kind      Kind
		want      Layout
		looks     int
		err       string
	}{
		"usual place":            {[]string{lunaWindows + "/vtl.exe"}, "", Auto, windowsLayout(lunaWindows), 2, ""},
		"by name":                {[]string{lunaWindows + "/vtl.exe"}, "", Windows, windowsLayout(lunaWindows), 2, ""},
		"old place":              {[]string{oldWindows + "/vtl.exe"}, "", Auto, windowsLayout(oldWindows), 2, ""},
		"the variable's usual":   {[]string{lunaWindows + "/vtl.exe"}, strings.ToLower(lunaWindows), Auto, windowsLayout(lunaWindows), 2, ""},
		"the variable's old":     {[]string{lunaWindows + "/vtl.exe", oldWindows + "/vtl.exe"}, oldWindows, Auto, windowsLayout(oldWindows), 2, ""},
		"all by the variable":    {[]string{"D:/luna/vtl.exe"}, "D:/luna", Auto, windowsLayout("D:/luna"), 3, ""},
		"a variable that is odd": {[]string{lunaWindows + "/vtl.exe"}, "D:/%x%", Auto, windowsLayout(lunaWindows), 2, ""},
		"no client":              {nil, "", Auto, Layout{}, 2, "no Luna client on this windows host"},
		"another kind":           {[]string{lunaWindows + "/vtl.exe"}, "", NetScaler, Layout{}, 2, "no host of --client-kind netscaler"},
	} {
		r := &windowsReader{files: map[string]string{}, configDir: c.configDir}
		for _, f := range c.files {
			r.files[f] = "MZ"
		}
		e := newEyes(Hosts{}, Link{ClientAddress: "192.0.2.30", HSMAddress: "192.0.2.20", Kind: c.kind})
		e.host = r
		_, err := e.lookAtClient(t.Context())
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if diff := cmp.Diff(c.want, e.layout); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
		if r.looks != c.looks {
			t.Errorf("%s: looked %d times, want %d", name, r.looks, c.looks)
		}
	}
	for dir, want := range map[string]string{ // what cannot be asked for is not called absent
		"D:/A&B/LunaClient": `"D:/A&B/LunaClient" holds a character that cannot be given to cmd.exe safely`,
		"D:/L%x%":           `ChrystokiConfigurationPath names "D:/L%x%", which is no plain path`,
	} {
		e := newEyes(Hosts{}, Link{ClientAddress: "192.0.2.30", HSMAddress: "192.0.2.20"})
		e.host = &windowsReader{configDir: dir}
		_, err := e.lookAtClient(t.Context())
		if f := orchestrator.Fail(err); f == nil || !strings.Contains(f.Message, want) || strings.Contains(f.Message, "no Luna client") || !strings.Contains(f.Hint, "dir /x") {
			t.Errorf("%s: %+v", dir, f)
		}
	}
	r := &windowsReader{configDir: "D:/conf", files: map[string]string{lunaWindows + "/vtl.exe": "", "D:/conf/crystoki.ini": iniOf("")}}
	e := newEyes(Hosts{}, Link{ClientAddress: "192.0.2.30", HSMAddress: "192.0.2.20"})
	e.host = r
	if _, err := e.lookAtClient(t.Context()); err != nil || e.layout.Conf != "D:/conf/crystoki.ini" || e.layout.Base != lunaWindows {
		t.Errorf("a configuration elsewhere: %+v, %v", e.layout, err)
	}
}

// The configuration's paths are told with slashes, judged as paths of Windows,
// and written with backslashes.
func TestWindowsConfiguration(t *testing.T) {
	for cert, refused := range map[string]bool{
		`C:\Program Files\SafeNet\LunaClient\cert\client\ClientNameCert.pem`: false,
		`D:/keys/w.pem`:      false,
		``:                   false,
		`.luna\w.pem`:        true,
		`\\server\share\w`:   true,
		`C:\a\..\w.pem`:      true,
		`C:\%TEMP%\w.pem`:    true,
		`"C:\a b\w.pem"`:     true,
		"C:\\caf\xe9\\w.pem": true,
		`/etc/w.pem`:         true,
	} {
		r := &windowsReader{files: map[string]string{lunaWindows + "/vtl.exe": "", lunaWindows + "/crystoki.ini": iniOf(cert)}}
		e := newEyes(Hosts{}, Link{ClientAddress: "192.0.2.30", HSMAddress: "192.0.2.20", Stamp: "S"})
		e.host = r
		facts, err := e.client(t.Context())
		if (err != nil) != refused {
			t.Errorf("%q: %v", cert, err)
		}
		if err != nil {
			continue
		}
		want, err := expectedConf(e.link, facts)
		if err != nil {
			t.Fatal(err)
		}
		text := string(want.Bytes())
		for _, line := range []string{
			`ClientCertFile=C:\Program Files\SafeNet\LunaClient\cert\client\192.0.2.30.pem`, "ServerName00=192.0.2.20",
			`ServerCAFile=C:\Program Files\SafeNet\LunaClient\cert\server\CAFile.pem`,
		} {
			if !strings.Contains(text, line+"\r\n") {
				t.Errorf("%q: no %q in\n%s", cert, line, text)
			}
		}
	}
}

func TestWindowsWordsForUndoing(t *testing.T) {
	link := Link{Stamp: "S"}
	for got, want := range map[string]string{
		undoFile(link, lunaWindows+"/crystoki.ini", true):              `copy /y "C:\Program Files\SafeNet\LunaClient\crystoki.ini.ntl-setup-S" "C:\Program Files\SafeNet\LunaClient\crystoki.ini"`,
		undoFile(link, "C:/a/CAFile.pem", false):                       `del "C:\a\CAFile.pem"`,
		shellLine("mv", "C:/a/xKey.pem.orphan-S", "C:/a/xKey.pem"):     `move "C:\a\xKey.pem.orphan-S" "C:\a\xKey.pem"`,
		shellLine("chmod", "0600", "C:/a/xKey.pem"):                    "# by hand: chmod 0600 C:/a/xKey.pem",
		shellLine("rm", "C:/a/%x%.pem"):                                "# by hand, for a name cannot be shown: rm C:/a/%x%.pem",
		shellLine("rm", `C:/a" & calc & "`):                            `# by hand, for a name cannot be shown: rm C:/a" & calc & "`,
		shellLine("rm", "/etc/C:/a"):                                   "rm /etc/C:/a",
		keyAccess("/usr/safenet/lunaclient/cert/client/192.0.2.1.pem"): "",
	} {
		if got != want {
			t.Errorf("%s\nwant\n%s", got, want)
		}
	}
	if said := keyAccess("C:/a b/wKey.pem"); !strings.Contains(said, "`icacls \"C:\\a b\\wKey.pem\" /grant") {
		t.Error(said)
	}
}
