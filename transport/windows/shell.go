package windows

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"time"
	"unicode/utf16"

	"crypto/rand"

	"ntl-setup/transport"
)

// Shell is the default shell of the machine's OpenSSH server.
type Shell string

// The default shells: cmd.exe unless the registry (HKLM\SOFTWARE\OpenSSH,
// DefaultShell) names another.
const (
	Cmd        Shell = "cmd.exe"
	PowerShell Shell = "PowerShell"
)

// longestLine is what cmd.exe reads of a command line, in characters.
const longestLine = 8191

// question is a command that each shell understands in its own way: cmd.exe
// puts the value of OS in for the second word, PowerShell for the third.
const question = "echo %s %%OS%% $env:OS"

// Detect asks which shell of Windows answers, if one does: (nil, nil) if none
// does. It is one command line that changes nothing.
func Detect(ctx context.Context, conn transport.Conn, _ transport.Output) (transport.Host, error) {
	mark := rand.Text()
	out, err := conn.Exec(ctx, strings.NewReplacer("%s", mark, "%%", "%").Replace(question), nil)
	if err != nil {
		return nil, err
	}
	words := strings.Fields(string(out.Stdout))
	for i, w := range words {
		if w != mark || len(words) < i+3 {
			continue
		}
		switch {
		case words[i+1] == "Windows_NT":
			return New(conn, Cmd), nil
		case words[i+2] == "Windows_NT":
			return New(conn, PowerShell), nil
		}
	}
	return nil, nil
}

// wrap makes of a line of cmd.exe one for the default shell. PowerShell would
// read quotes, ampersands and parentheses in its own way, and so would the
// server on the way to it: it gets the line as base64, and gives what follows
// --% to cmd.exe as it is. (A pipe sign outside of quotes would end that; no
// line here has one.)
func (s Shell) wrap(line string) string {
	if s != PowerShell {
		return line
	}
	return powershell("& $env:ComSpec --% /d /c " + line + "\nexit $LASTEXITCODE")
}

// powershell is a command line, for any shell, that runs a PowerShell script.
func powershell(script string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune("$ProgressPreference='SilentlyContinue'\n" + script)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return "powershell -NoProfile -NonInteractive -EncodedCommand " + base64.StdEncoding.EncodeToString(b)
}

// clock asks for the machine's clock; zero if it does not tell. The echo of cmd
// has the time in local form, zone and order of the date unsaid: that is none.
func (h *host) clock(ctx context.Context) (time.Time, error) {
	h.clockMu.Lock()
	defer h.clockMu.Unlock()
	if h.clockAsked {
		if h.noClock {
			return time.Time{}, nil
		}
		return time.Now().Add(h.ahead), nil
	}
	sent := time.Now()
	out, err := h.wire.Exec(ctx, powershell("[DateTime]::UtcNow.ToString('o')"), nil)
	if err != nil {
		return time.Time{}, err
	}
	h.clockAsked = true
	told, err := time.Parse(time.RFC3339Nano, strings.TrimSpace(string(out.Stdout)))
	if err != nil {
		h.noClock = true
		return time.Time{}, nil //nolint:nilerr // a machine without PowerShell, or one where it may not run
	}
	h.ahead = told.Sub(sent.Add(time.Since(sent) / 2))
	return time.Now().Add(h.ahead), nil
}
