package posix

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"ntl-setup/transport"
)

// lstart is how ps (and our call of date) prints a point in time, local to the
// machine, under LC_ALL=C.
const lstart = "Mon Jan _2 15:04:05 2006"

// found is a process with its parent, as the script tells it.
type found struct {
	transport.Process
	parent int
}

// processFact collects the sections of one Processes query.
func processFact(sections []section) (transport.Fact, error) {
	var f transport.Fact
	var now time.Time
	var all []found
	for _, s := range sections {
		var err error
		switch s.name {
		case "now":
			now, err = parseStart(strings.Fields(string(s.data)))
		case "process":
			var p found
			p, err = parseProcess(string(s.data), now)
			all = append(all, p)
		case "newer":
			if len(all) == 0 {
				return f, fmt.Errorf("a newer file without a process")
			}
			last := &all[len(all)-1]
			last.Newer = append(last.Newer, string(s.data))
		default:
			err = s.addTo(&f)
		}
		if err != nil {
			return f, err
		}
	}
	f.Processes = withoutForks(all)
	return f, nil
}

// parseStart reads the five words of a point in time. The zone is left out on
// both sides of the one difference that is taken.
func parseStart(words []string) (time.Time, error) {
	if len(words) < 5 {
		return time.Time{}, fmt.Errorf("no point in time: %q", words)
	}
	return time.Parse(lstart, fmt.Sprintf("%s %s %2s %s %s", words[0], words[1], words[2], words[3], words[4]))
}

// parseProcess reads "PID PPID Sat Nov 21 18:20:36 2026 command line".
func parseProcess(line string, now time.Time) (found, error) {
	words := strings.SplitN(line, " ", 8)
	if len(words) < 8 {
		return found{}, fmt.Errorf("no process: %q", line)
	}
	pid, err := strconv.Atoi(words[0])
	if err != nil {
		return found{}, fmt.Errorf("no process number: %q", words[0])
	}
	parent, err := strconv.Atoi(words[1])
	if err != nil {
		return found{}, fmt.Errorf("no process number: %q", words[1])
	}
	start, err := parseStart(words[2:7])
	if err != nil {
		return found{}, err
	}
	return found{parent: parent, Process: transport.Process{
		PID: pid, Started: start.Format(lstart), Age: max(now.Sub(start), 0), Command: words[7],
	}}, nil
}

// withoutForks leaves out the children of a process that bear its very command
// line: a script's subshells, a daemon's workers. They are not a second run of
// the executable.
func withoutForks(all []found) []transport.Process {
	command := map[int]string{}
	for _, p := range all {
		command[p.PID] = p.Command
	}
	var kept []transport.Process
	for _, p := range all {
		if of, ok := command[p.parent]; !ok || of != p.Command {
			kept = append(kept, p.Process)
		}
	}
	return kept
}
