package posix

import (
	"fmt"
	"strconv"
	"strings"

	"ntl-setup/transport"
)

func isLock(k transport.ActionKind) bool {
	return k == transport.ActLock || k == transport.ActBeat || k == transport.ActUnlock
}

// lockCall is the call of an action about a lock. Its texts are functions of
// the script, as the content of a file is.
func lockCall(i int, a transport.Action) (before, call string, err error) {
	for _, token := range []string{a.To, a.From} {
		if err := checkToken(token); err != nil && (token != "" || a.To == "") {
			return "", "", err
		}
	}
	dir, err := quote(a.Path)
	if err != nil {
		return "", "", err
	}
	call = fmt.Sprintf("do_%s %s %s", a.Kind, dir, a.To)
	if a.Kind == transport.ActUnlock {
		return "", call, nil
	}
	if len(a.Data) > largestFile || len(a.Old) > largestFile {
		return "", "", fmt.Errorf("%w: more than %d bytes", transport.ErrTooLarge, largestFile)
	}
	text := fmt.Sprintf("data_%d", i)
	if before, err = printer(text, a.Data); err != nil {
		return "", "", err
	}
	call += " " + text
	if a.Kind == transport.ActBeat {
		// The tool that runs next shows life in the entry (do_run).
		return before + "entry=" + dir + "/" + a.To + "\n", call, nil
	}
	call += " " + strconv.Itoa(max(seconds(a.Wait), 1))
	switch {
	case a.From == "":
		return before, call, nil
	case a.Old == nil:
		return before, call + " " + a.From + " what_ever", nil
	}
	old := fmt.Sprintf("old_%d", i)
	seen, err := printer(old, a.Old)
	return before + seen, call + " " + a.From + " just " + old, err
}

// checkToken refuses what could be anything but the name of an entry.
func checkToken(token string) error {
	const longest = 64
	odd := func(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9') }
	if token == "" || len(token) > longest || strings.ContainsFunc(token, odd) {
		return fmt.Errorf("%q is no token of a lock", token)
	}
	return nil
}
