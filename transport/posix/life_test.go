//go:build unix

package posix

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"ntl-setup/transport"
)

// waits is a tool that ends once a file differs from what it was told, or fails
// after 30 seconds. It leaves the process id of its script beside the file.
func waits(t *testing.T, dir string) string {
	t.Helper()
	tool := dir + "/tool"
	write(t, tool, `#!/bin/sh
was=$(wc -c <"$1")
n=0
while [ "$(wc -c <"$1")" = "$was" ]; do
	n=$((n + 1)); [ "$n" -gt 300 ] && { echo 'no sign of life'; exit 1; }
	sleep 0.1
done
echo alive
`, 0o755)
	return tool
}

// While a tool works behind a beat, the lock shows life without any session of
// ours; when it has ended, nothing is left that would.
func TestAToolShowsLife(t *testing.T) {
	t.Parallel()
	h, dir := here(t)
	lock := dir + "/lock"
	if taken, said := attempt(t, h, transport.Lock(lock, "ME", []byte("{}"), expiry)); !taken {
		t.Fatalf("not taken: %s", said)
	}
	out, err := h.Do(t.Context(), transport.Beat(lock, "ME", []byte("{}")), transport.Run(waits(t, dir), lock+"/ME/beat"))
	check(t, err)
	if got := string(out[1].Stdout); got != "alive\n" || out[1].Status != 0 {
		t.Errorf("the tool saw %q, status %d", got, out[1].Status)
	}
	if text := read(t, lock+"/ME/beat"); strings.TrimSpace(text) != "{}" {
		t.Errorf("the holder's text is now %q", text)
	}
	if taken, _ := attempt(t, h, transport.Unlock(lock, "ME")); !taken || namesIn(t, dir) != "tool" {
		t.Errorf("left %s", namesIn(t, dir))
	}
	gone(t, dir)
}

// Without a beat before it a tool shows nothing, and its status is its own.
func TestAToolWithoutALock(t *testing.T) {
	t.Parallel()
	h, dir := here(t)
	write(t, dir+"/tool", "#!/bin/sh\necho said\nexit 7\n", 0o755)
	for name, before := range map[string][]transport.Action{"bare": nil, "in a lock": {
		transport.Lock(dir+"/lock", "ME", nil, expiry), transport.Beat(dir+"/lock", "ME", nil)}} {
		out, err := h.Do(t.Context(), append(before, transport.Run(dir+"/tool"))...)
		check(t, err)
		if last := out[len(out)-1]; string(last.Stdout) != "said\n" || last.Status != 7 {
			t.Errorf("%s: %q, status %d", name, last.Stdout, last.Status)
		}
	}
}

// A script that is killed shows no life any more, though its tool goes on: its
// lock expires, and who comes next finds the tool among the processes.
func TestAKilledScriptShowsNoLife(t *testing.T) {
	t.Parallel()
	_, dir := here(t)
	lock, tool := dir+"/lock", dir+"/tool"
	check(t, os.MkdirAll(lock+"/ME", 0o755))
	write(t, tool, "#!/bin/sh\necho $$ >"+dir+"/pid\nexec sleep 20\n", 0o755)
	text, err := renderDo("@mark", []transport.Action{transport.Beat(lock, "ME", []byte("{}")), transport.Run(tool)})
	check(t, err)
	sh := exec.CommandContext(t.Context(), "sh")
	sh.Stdin = strings.NewReader(string(text))
	check(t, sh.Start())
	pid := awaitFile(t, dir+"/pid")
	check(t, sh.Process.Kill())
	_ = sh.Wait() // killed
	t.Cleanup(func() { _ = exec.Command("kill", pid).Run() })
	quietFor(t, lock+"/ME/beat", 8*time.Second)
}

// quietFor fails if a file grows within that time, which is more than a life
// sign takes.
func quietFor(t *testing.T, path string, d time.Duration) {
	t.Helper()
	was := read(t, path)
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.Context().Done():
	}
	if now := read(t, path); now != was {
		t.Errorf("%s grew from %q to %q", path, was, now)
	}
}

// awaitFile waits for a file with one line and returns that.
func awaitFile(t *testing.T, path string) string {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 1000 {
		data, _ := os.ReadFile(path) // not there yet
		if pid, err := strconv.Atoi(strings.TrimSpace(string(data))); err == nil {
			return strconv.Itoa(pid)
		}
		<-tick.C
	}
	t.Fatalf("%s never came", path)
	return ""
}

// gone waits until no process bears a directory in its command line.
func gone(t *testing.T, dir string) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for range 100 {
		out, err := exec.CommandContext(t.Context(), "ps", "axww", "-o", "command=").Output()
		check(t, err)
		if !strings.Contains(string(out), dir) {
			return
		}
		<-tick.C
	}
	t.Errorf("processes of %s are left", dir)
}
