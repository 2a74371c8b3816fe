package windows

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/transport"
)

const english = "\r\nWindows IP Configuration\r\n\r\nEthernet adapter Ethernet0:\r\n\r\n" +
	"   Connection-specific DNS Suffix  . : example.net\r\n" +
	"   Link-local IPv6 Address . . . . . : fe80::1c2:3d4:5e6f%12\r\n" +
	"   IPv6 Address. . . . . . . . . . . : 2001:db8::7(Preferred)\r\n" +
	"   IPv4 Address. . . . . . . . . . . : 192.0.2.44(Preferred)\r\n" +
	"   Subnet Mask . . . . . . . . . . . : 255.255.255.0\r\n   Default Gateway . . . . . . . . . : 192.0.2.1\r\n"

const german = "   IPv4-Adresse  . . . . . . . . . . : 198.51.100.3\r\n   Subnetzmaske  . . . . . . . . . . : 255.255.255.0\r\n   Standardgateway . . . . . . . . . : 198.51.100.1\r\n"

func TestAddresses(t *testing.T) {
	for text, want := range map[string][]string{
		english: {"fe80::1c2:3d4:5e6f", "2001:db8::7", "192.0.2.44"},
		german:  {"198.51.100.3"},
		"":      nil,
	} {
		if diff := cmp.Diff(want, addresses(text)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestReplies(t *testing.T) {
	sections, err := parseReply("MARK", []byte("noise\r\nMARK 0 environment\r\nMARK 1 data\r\nno end of lineMARK 2 names\r\na\r\nb\r\n"))
	want := []section{{0, "environment", ""}, {1, "data", "no end of line"}, {2, "names", "a\r\nb\r\n"}}
	if diff := cmp.Diff(want, sections, cmp.AllowUnexported(section{})); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	for _, bad := range []string{"", "nothing of ours", "MARK x y\r\n", "MARK -1 y\r\n", "MARK \r\n"} {
		if _, err := parseReply("MARK", []byte(bad)); err == nil {
			t.Errorf("%q was understood", bad)
		}
	}
}

func TestEnvironment(t *testing.T) {
	for text, want := range map[string]string{
		"ChrystokiConfigurationPath=C:\\Program Files\\SafeNet\\LunaClient\\\r\n": "C:/Program Files/SafeNet/LunaClient",
		"chrystokiconfigurationpath=D:\\\r\n":                                     "D:/",
		"ChrystokiConfigurationPathOld=C:\\x\r\n":                                 "",
		"": "",
	} {
		f, err := readFact(transport.System(), []section{{0, "environment", text}})
		if err != nil || f.ConfigDir != want || f.System != "Windows" {
			t.Errorf("%q: %+v, %v", text, f, err)
		}
	}
}

func TestTasks(t *testing.T) {
	none := "INFO: No tasks are running which match the specified criteria.\r\n"
	some := "\"vtl.exe\",\"4711\",\"Services\",\"0\",\"3,456 K\"\r\n\"VTL.EXE\",\"12\",\"Console\",\"1\",\"1 K\"\r\n\"myvtl.exe\",\"13\",\"Console\",\"1\",\"1 K\"\r\n"
	if got := tasks("vtl.exe", none); len(got) != 0 {
		t.Errorf("%v", got)
	}
	got := tasks("vtl.exe", some)
	if len(got) != 2 || got[0].PID != 4711 || got[1].PID != 12 {
		t.Errorf("%v", got)
	}
	f, err := readFact(transport.Processes("C:/vtl.exe"), []section{{0, "tasks", "Access denied.\r\n"}, {0, "failed", ""}})
	if err != nil || f.Problem != "tasklist: Access denied." {
		t.Errorf("%+v, %v", f, err)
	}
}

// Where a vtl runs, PowerShell tells what it does; if it does not, that is a
// problem and no empty list.
func TestProcessesInDetail(t *testing.T) {
	const exe = "C:/Program Files/SafeNet/LunaClient/vtl.exe"
	now := time.Now().UTC()
	row := "4711\t" + now.Add(-90*time.Second).Format(time.RFC3339Nano) + "\tC:\\Program Files\\SafeNet\\LunaClient\\VTL.exe\t\"C:\\...\\vtl.exe\" createCert -n web1\r\n"
	other := "4712\t" + now.Format(time.RFC3339Nano) + "\tD:\\vtl.exe\tvtl verify\r\n"
	for name, c := range map[string]struct {
		answer  string
		want    int
		problem bool
	}{
		"one of ours": {row + other + "done\r\n", 1, false},
		"ended since": {"done\r\n", 0, false},
		"cut off":     {row, 0, true},
		"no words":    {"", 0, true},
	} {
		h := New(scripted(func(line string) (transport.Output, error) {
			switch {
			case len(line) > 11 && line[:11] != "powershell ":
				return transport.Output{Stdout: []byte(markOf(line) + " 0 tasks\r\n\"vtl.exe\",\"4711\",\"Services\",\"0\",\"1 K\"\r\n")}, nil
			case containsScript(t, line, "Win32_Process"):
				return transport.Output{Stdout: []byte(c.answer)}, nil
			}
			return transport.Output{Stdout: []byte(now.Format(time.RFC3339Nano))}, nil
		}), Cmd)
		q := transport.Processes(exe)
		facts, err := h.Look(t.Context(), q)
		f := facts[q]
		if err != nil || len(f.Processes) != c.want || (f.Problem != "") != c.problem {
			t.Errorf("%s: %+v, %v", name, f, err)
		}
		if c.want == 1 && (f.Processes[0].Age < 80*time.Second || f.Processes[0].Age > 100*time.Second || f.Processes[0].PID != 4711) {
			t.Errorf("%s: %+v", name, f.Processes[0])
		}
	}
}
