//go:build unix

package bench

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

	"ntl-setup/fixtures/lab"
	"ntl-setup/fixtures/luna"
)

// The work of one new link on an appliance: register, show, fingerprint, assign,
// show.
const commandsOfALink = 5

// fleet is one SSH server with many clients' trees below it, each a client by
// itself to who is told its root, and their appliances.
type fleet struct {
	programs   programs
	appliances []*lab.Site
	dir        string
	links      int
	words      []string
}

// newFleet stands a fleet up, each client with one of the appliances in turn.
func newFleet(tb testing.TB, p programs, links, appliances int, latency time.Duration) *fleet {
	tb.Helper()
	dir := open(tb)
	appliance := luna.Options{Latency: latency}
	first := lab.Start(tb, lab.Options{Dir: filepath.Join(dir, "site"), Program: p.lab, Kind: lab.Linux, Appliance: appliance})
	f := &fleet{programs: p, dir: dir, links: links, appliances: []*lab.Site{first}}
	for range appliances - 1 {
		f.appliances = append(f.appliances, lab.AddAppliance(tb, first, lab.Options{Appliance: appliance}))
	}
	var text strings.Builder
	text.WriteString("hsms:\n")
	for i, hsm := range f.appliances {
		_, _ = fmt.Fprintf(&text, "  hsm%d: {host: %q, address: %s, password_file: %q}\n", i, hsm.HSMTarget, hsm.HSMAddress, hsm.HSMPasswordFile)
	}
	text.WriteString("clients:\n")
	for i := range links {
		address := fmt.Sprintf("127.201.%d.%d", i/200, 1+i%200)
		root := filepath.Join(dir, fmt.Sprintf("web%d", i))
		likeness(tb, first.ClientRoot, root)
		if err := luna.WriteVtlSettings(root, luna.VtlSettings{Source: address}); err != nil {
			tb.Fatal(err)
		}
		_, _ = fmt.Fprintf(&text, "  web%d: {host: %q, address: %s, root: %q, password_file: %q}\n", i, first.ClientTarget, address, root, first.ClientPasswordFile)
	}
	text.WriteString("links:\n")
	for i := range links {
		_, _ = fmt.Fprintf(&text, "  - {client: web%d, hsm: hsm%d, partition: partition6, name: NS-web%d}\n", i, i%appliances, i)
	}
	file := filepath.Join(dir, "ntl.yaml")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		tb.Fatal(err)
	}
	f.words = []string{"-f", file, "--known-hosts", first.KnownHosts, "--timeout", "2h"}
	return f
}

// likeness is a client's tree once more, which knows itself by its own place.
func likeness(tb testing.TB, from, to string) {
	tb.Helper()
	err := filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		place := to + strings.TrimPrefix(path, from)
		info, err := entry.Info()
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			return os.MkdirAll(place, 0o755) //nolint:gosec // a host's root is open
		case info.Mode()&fs.ModeSymlink != 0:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			return os.Symlink(strings.Replace(target, from, to, 1), place)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(place, bytes.ReplaceAll(data, []byte(from), []byte(to)), info.Mode())
	})
	if err != nil {
		tb.Fatal(err)
	}
}

// run runs a command over the fleet, which must end with that status.
func (f *fleet) run(tb testing.TB, status int, words ...string) (c cost, memory int64) {
	tb.Helper()
	cmd := exec.Command(f.programs.setup, append(words, f.words...)...) //nolint:gosec,noctx // the program that was built; it has a --timeout
	cmd.Env = []string{"HOME=" + f.dir, "XDG_STATE_HOME=" + filepath.Join(f.dir, "state"), "PATH=" + os.Getenv("PATH")}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	began := time.Now()
	err := cmd.Run()
	wall := time.Since(began)
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != status {
		tail := said.Bytes()
		tb.Fatalf("%v: %v\n%s", words, err, tail[max(0, len(tail)-2000):])
	}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		memory = int64(usage.Maxrss) << 10 // in KiB on Linux
	}
	return cost{wall: wall, cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}, memory
}

// commands is how many commands the appliances were sent.
func (f *fleet) commands(tb testing.TB) int {
	tb.Helper()
	n := 0
	for _, hsm := range f.appliances {
		all, err := hsm.Commands()
		if err != nil {
			tb.Fatal(err)
		}
		n += len(all)
	}
	return n
}

// sizes are numbers of links; a variable of the environment may name another one.
func sizes(variable string, usual ...int) []int {
	var n int
	if _, err := fmt.Sscan(os.Getenv(variable), &n); err == nil && n > 0 {
		return []int{n}
	}
	return usual
}

// BenchmarkFleetOfNewClients makes new links with one appliance that takes 300 ms
// for a command. What the appliance needs for its own five commands a link is
// what the time is compared with. The hosts run on the same machine: where it
// has few cores, what is measured is how fast it plays 200 clients
// (NTL_BENCH_FLEET=20 for fewer).
func BenchmarkFleetOfNewClients(b *testing.B) {
	const latency = 300 * time.Millisecond
	p := build(b)
	var table strings.Builder
	out := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(out, "new links\twall\tof links x 5 x 300 ms\tcommands\tCPU\tmemory")
	for _, links := range sizes("NTL_BENCH_FLEET", 200) {
		b.Run(fmt.Sprint(links), func(b *testing.B) {
			for b.Loop() {
				f := newFleet(b, p, links, 1, latency)
				c, memory := f.run(b, 0, "apply", "-y")
				least := time.Duration(links) * commandsOfALink * latency
				part := float64(c.wall) / float64(least)
				b.ReportMetric(part, "of-least")
				b.ReportMetric(float64(f.commands(b))/float64(links), "commands/link")
				_, _ = fmt.Fprintf(out, "%d\t%v\t%.2f\t%d\t%v\t%d MiB\n", links, shown(c.wall), part, f.commands(b), shown(c.cpu), memory>>20)
			}
		})
	}
	_ = out.Flush() // into memory
	fmt.Printf("\nNew clients of one appliance that takes 300 ms a command, servers: in this process\n%s\n", table.String())
}

// BenchmarkFleetPlan plans links with 4 appliances.
func BenchmarkFleetPlan(b *testing.B) {
	p := build(b)
	var table strings.Builder
	out := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(out, "links planned\twall\ta link\tCPU\tmemory")
	for _, links := range sizes("NTL_BENCH_PLAN", 10, 100, 1000) {
		b.Run(fmt.Sprint(links), func(b *testing.B) {
			for b.Loop() {
				f := newFleet(b, p, links, min(4, links), 0)
				c, memory := f.run(b, 2, "plan")
				b.ReportMetric(float64(memory>>20), "MiB")
				_, _ = fmt.Fprintf(out, "%d\t%v\t%v\t%v\t%d MiB\n", links, shown(c.wall), shown(c.wall/time.Duration(links)), shown(c.cpu), memory>>20)
			}
		})
	}
	_ = out.Flush() // into memory
	fmt.Printf("\nPlans against 4 appliances, servers: in this process\n%s\n", table.String())
}
