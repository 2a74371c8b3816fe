package windows

import (
	"context"
	"encoding/csv"
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"

	"ntl-setup/transport"
)

// tasks are the processes of an image that tasklist lists: rows of CSV that
// begin with its name and the number. What else it says is a remark in some
// language ("INFO: No tasks are running …").
func tasks(image, list string) []transport.Process {
	var found []transport.Process
	for line := range strings.Lines(list) {
		row, err := csv.NewReader(strings.NewReader(line)).Read()
		if err != nil || len(row) < 2 || !strings.EqualFold(row[0], image) {
			continue
		}
		if pid, err := strconv.Atoi(row[1]); err == nil {
			found = append(found, transport.Process{PID: pid, Command: row[0]})
		}
	}
	return found
}

// detail is a PowerShell script: the processes of an image with what tasklist
// does not know of them, one a line, and a last line that proves the end.
const detail = `Get-CimInstance Win32_Process -Filter "Name='%s'" | ForEach-Object { "{0}` + "`t{1}`t{2}`t{3}" + `" -f ` +
	`$_.ProcessId, $_.CreationDate.ToUniversalTime().ToString('o'), $_.ExecutablePath, $_.CommandLine }
"done"`

// processes asks what the processes of an executable are doing, which only
// PowerShell tells. It is asked only when some are there.
func (h *host) processes(ctx context.Context, executable string) (transport.Fact, error) {
	out, err := h.wire.Exec(ctx, powershell(fmt.Sprintf(detail, path.Base(executable))), nil)
	if err != nil {
		return transport.Fact{}, err
	}
	now, err := h.clock(ctx)
	if err != nil {
		return transport.Fact{}, err
	}
	found, ok := parseDetail(executable, string(out.Stdout), now)
	if !ok {
		return transport.Fact{Problem: fmt.Sprintf("%s runs, and PowerShell does not tell what it is doing: %s",
			path.Base(executable), transport.Printable(firstOf(out.Stdout, out.Stderr)))}, nil
	}
	return transport.Fact{Processes: found}, nil
}

// parseDetail reads what the script printed; ok says that it came to its end.
func parseDetail(executable, text string, now time.Time) (found []transport.Process, ok bool) {
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if line == "done" {
			return found, true
		}
		words := strings.SplitN(line, "\t", 4)
		if len(words) < 4 || words[2] != "" && !strings.EqualFold(slashed(words[2]), executable) {
			continue
		}
		pid, err := strconv.Atoi(words[0])
		if err != nil {
			continue
		}
		p := transport.Process{PID: pid, Started: words[1], Command: words[3]}
		if began, err := time.Parse(time.RFC3339Nano, words[1]); err == nil && !now.IsZero() {
			p.Age = max(now.Sub(began), 0).Truncate(time.Second)
		}
		found = append(found, p)
	}
	return found, false
}
