//go:build unix

package posix

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"ntl-setup/transport"
)

const testMark = "@TESTMARK"

// everyQuery and everyAction have one of each kind.
func everyQuery(dir string) []transport.Query {
	return []transport.Query{
		transport.System(), transport.Addresses(),
		transport.File(dir + "/file"), transport.Dir(dir), transport.Key(dir + "/clientKey.pem"),
		transport.Processes(dir+"/daemon", dir+"/file", dir+"/other"),
		transport.VtlListServers(dir + "/vtl"), transport.VtlVerify(dir + "/vtl"),
	}
}

func everyAction(dir string) []transport.Action {
	return []transport.Action{
		transport.Run(dir+"/vtl", "createCert", "-n", "192.0.2.7"),
		transport.Replace(dir+"/file", []byte("old\n"), []byte("new\n")),
		transport.Create(dir+"/new", []byte("x"), 0o644),
		transport.Backup(dir+"/file", dir+"/file.bak"),
		transport.Move(dir+"/a", dir+"/b"), transport.Remove(dir + "/c"),
		transport.Chmod(dir+"/d", 0o600), transport.MakeDir(dir + "/e"),
		transport.Start(dir + "/daemon"), transport.Stop(4711, dir+"/daemon", 1500*time.Millisecond),
		transport.TakeOver(transport.Lock(dir+"/lock", "T1", []byte("a"), 28*time.Second), "T0", []byte("b")),
		transport.Beat(dir+"/lock", "T1", []byte("c")), transport.Unlock(dir+"/lock", "T1"),
	}
}

func renderAll(t *testing.T) map[string]string {
	t.Helper()
	do, err := renderDo(testMark, everyAction("/srv/x"))
	check(t, err)
	return map[string]string{"look": string(renderLook(testMark, everyQuery("/srv/x"))), "do": string(do)}
}

// What FreeBSD 8.4 lacks, or means otherwise than GNU.
func TestScriptsStayPortable(t *testing.T) {
	forbidden := regexp.MustCompile(`\bstat\b|sha256|sha1sum|md5|\bbase64\b|\btimeout\b|\bflock\b|readlink -|` +
		`sed (-[a-z]* )?-i|sed -[rE]|\bmktemp\b|\bls --|--[a-z]{2,}|date -[drv]|-printf|\blocal |\bdeclare\b|\btypeset\b|` +
		`echo|\[\[|==|<\(|\bfunction\b|\bsource\b|\$'|&>|\|&|<<|\bpgrep\b|\bpkill\b|\bwhich\b|\bseq\b|` +
		`\btac\b|grep -[a-zA-Z]*[oP]|xargs|sleep [0-9]*\.|read -[^r]|\bsudo\b|\bsetsid\b|\bawk\b|\$\(\([a-z]|unset|\btee\b|kill -9|KILL`)
	for name, script := range renderAll(t) {
		for i, line := range strings.Split(script, "\n") {
			if hit := forbidden.FindString(line); hit != "" {
				t.Errorf("%s, line %d: %q in %s", name, i+1, hit, line)
			}
			if len(line) > 2000 {
				t.Errorf("%s, line %d: %d bytes", name, i+1, len(line))
			}
		}
	}
}

func TestScriptsParse(t *testing.T) {
	for name, script := range renderAll(t) {
		for _, shell := range posixShells(t) {
			if out := feed(t, script, append(shell, "-n")...); out != "" {
				t.Errorf("%s in %v: %s", name, shell, out)
			}
		}
		if got := regexp.MustCompile(`(?m)^\s*#.*$`).FindAllString(script, -1); !slices.Equal(got, []string{transport.LibraryBegins, transport.LibraryEnds}) {
			t.Errorf("%s carries comments besides the ends of its library: %q", name, got)
		}
		if !strings.HasPrefix(script, "{\n") || !strings.HasSuffix(script, "exit 0\n}\n") {
			t.Errorf("%s is no brace group with its own end", name)
		}
	}
	if script := renderAll(t)["look"]; strings.Contains(script, "do_") || strings.Contains(script, "trap") {
		t.Error("the looking script can act")
	}
}

// Nothing that a look sends can write, whatever path is asked about.
func TestLookScriptHasNoWritingCommand(t *testing.T) {
	writing := regexp.MustCompile(`(^|[;&|({]|\b(then|do|else)\b)\s*(rm|mv|cp|ln|chmod|chown|mkdir|rmdir|kill|touch|nohup|tee|dd|trap)\b|[^2&<]>\s*[^&/ ]`)
	for _, line := range strings.Split(renderAll(t)["look"], "\n") {
		line = strings.ReplaceAll(line, ">/dev/null", "")
		line = regexp.MustCompile(`kill "\$(child|guard)"`).ReplaceAllString(line, "") // its own, that take too long
		line = strings.Replace(line, "| dd ibs=32768 obs=32768 2", "", 1)              // from its input to its output, with no file to name
		if hit := writing.FindString(line); hit != "" {
			t.Errorf("%q in %s", hit, line)
		}
	}
}

// A line that drops while the script is sent runs nothing of it.
func TestScriptCutOffRunsNothing(t *testing.T) {
	dir := t.TempDir()
	script, err := renderDo(testMark, []transport.Action{transport.MakeDir(dir + "/made")})
	check(t, err)
	cuts := []int{}
	for at := 0; at < len(script)-2; at += 97 {
		cuts = append(cuts, at)
	}
	for at := len(script) - 40; at <= len(script)-2; at++ {
		cuts = append(cuts, at)
	}
	for _, shell := range posixShells(t)[1:] {
		for _, at := range cuts {
			if _, err := execGroup(t.Context(), "test", nil, script[:at], shell[0], shell[1:]...); err != nil {
				t.Fatal(err)
			}
			if exists(dir + "/made") {
				t.Fatalf("%v: cut at byte %d of %d, the script ran", shell, at, len(script))
			}
		}
		feed(t, string(script), shell...)
		if !exists(dir + "/made") {
			t.Fatalf("%v: the whole script did nothing", shell)
		}
		check(t, os.Remove(dir+"/made"))
	}
}

func TestLookCalls(t *testing.T) {
	for q, want := range map[transport.Query]string{
		transport.System():                     "look_system",
		transport.File("/etc/it's"):            `look_file '/etc/it'\''s' '1048576'`,
		transport.Dir("/etc"):                  "look_dir '/etc'",
		transport.Key("/c/xKey.pem"):           "look_key '/c/xKey.pem'",
		transport.Processes("/bin/x", "/a b"):  "look_processes '/bin/x' '/a b'",
		transport.VtlVerify("/opt/v t/vtl"):    "look_vtl '/opt/v t/vtl' 'verify'",
		transport.VtlListServers("/opt/l/vtl"): "look_vtl '/opt/l/vtl' 'listServers'",
	} {
		if got, err := lookCall(q); err != nil || got != want {
			t.Errorf("%v: %s, %v, want %s", q, got, err, want)
		}
	}
	for _, q := range []transport.Query{
		transport.File("/c/192.0.2.7Key.pem"), transport.File("rel"), transport.File("/a\nb"),
		transport.VtlVerify("vtl"), {Kind: "reboot", Path: "/x"}, {Kind: transport.QueryProcesses, Path: "/x", Args: "a\x00"},
	} {
		if got, err := lookCall(q); err == nil {
			t.Errorf("%v: %s", q, got)
		}
	}
}

// The file of a private key is not even named to a command that prints files.
func TestKeyFileIsNeverAskedFor(t *testing.T) {
	key := filepath.Join(t.TempDir(), "192.0.2.7Key.pem")
	script := string(renderLook(testMark, []transport.Query{transport.File(key)}))
	if strings.Contains(script, "look_file '") {
		t.Errorf("the script reads the key:\n%s", script)
	}
}

func TestActCalls(t *testing.T) {
	want := []string{
		"do_run '/srv/x/vtl' 'createCert' '-n' '192.0.2.7'",
		"do_replace '/srv/x/file' old_1 data_1",
		"do_create '/srv/x/new' 0644 data_2",
		"do_backup '/srv/x/file' '/srv/x/file.bak'",
		"do_move '/srv/x/a' '/srv/x/b'",
		"do_remove '/srv/x/c'",
		"do_chmod '/srv/x/d' '0600'",
		"do_mkdir '/srv/x/e'",
		"do_start '/srv/x/daemon'",
		"do_stop '4711' '/srv/x/daemon' '2'",
		"do_lock '/srv/x/lock' T1 data_10 28 T0 just old_10",
		"do_beat '/srv/x/lock' T1 data_11",
		"do_unlock '/srv/x/lock' T1",
	}
	for i, a := range everyAction("/srv/x") {
		if _, call, err := actCall(i, a); err != nil || call != want[i] {
			t.Errorf("%s: %s, %v, want %s", a.Kind, call, err, want[i])
		}
	}
	for _, a := range []transport.Action{
		transport.Run("vtl"), transport.Run("/vtl", "a\x00"), transport.Move("/a", "b"), transport.Backup("/a", "/b\n"),
		{Kind: "format", Path: "/dev/sda"}, transport.Stop(1, "init", 0),
	} {
		if _, call, err := actCall(0, a); err == nil {
			t.Errorf("%s %s: %s", a.Kind, a.Path, call)
		}
	}
	large := make([]byte, largestFile+1)
	if _, _, err := actCall(0, transport.Create("/a", large, 0)); !errors.Is(err, transport.ErrTooLarge) {
		t.Errorf("large content: %v", err)
	}
}

func TestOctalAndSeconds(t *testing.T) {
	for mode, want := range map[fs.FileMode]string{
		0: "0000", 0o644: "0644", fs.ModeSetuid | 0o755: "4755", fs.ModeSetgid | 0o770: "2770",
		fs.ModeSticky | 0o777: "1777", fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky: "7000", fs.ModeDir | 0o700: "0700",
	} {
		if got := octal(mode); got != want {
			t.Errorf("octal(%v) = %s, want %s", mode, got, want)
		}
	}
	for d, want := range map[time.Duration]int{
		-time.Second: 0, 0: 0, 1: 1, time.Second: 1, 1001 * time.Millisecond: 2, time.Minute: 60,
	} {
		if got := seconds(d); got != want {
			t.Errorf("seconds(%v) = %d, want %d", d, got, want)
		}
	}
}
