package vtl

import (
	"strings"

	"ntl-setup/transport"
)

// lines are the lines of a reply, without blanks around them.
func lines(out []byte) []string {
	all := strings.Split(string(out), "\n")
	for i, line := range all {
		all[i] = strings.TrimSpace(line)
	}
	return all
}

// after is what follows a prefix, which is compared without regard to case.
func after(line, prefix string) (string, bool) {
	if len(line) < len(prefix) || !strings.EqualFold(line[:len(prefix)], prefix) {
		return "", false
	}
	return strings.TrimSpace(line[len(prefix):]), true
}

// said is the text of the first "Error:" line, empty when there is none.
func said(lines []string) string {
	for _, line := range lines {
		if text, ok := after(line, "Error:"); ok {
			return transport.Printable(text)
		}
	}
	return ""
}

// notUnderstood is the error for a reply without what belongs to it: vtl's own
// words if it says what is wrong, else the start of the reply.
func notUnderstood(command string, lines []string, missing string) error {
	if text := said(lines); text != "" {
		return transport.Errorf(transport.ClassRemote, "", "vtl %s: %s", command, text)
	}
	const most = 200
	text := []rune(transport.Printable(strings.Join(lines, "\n")))
	if len(text) > most {
		text = append(text[:most], '…')
	}
	if len(text) == 0 {
		return transport.Errorf(transport.ClassProtocol, "", "vtl %s said nothing: %s", command, missing)
	}
	return transport.Errorf(transport.ClassProtocol, "", "vtl %s was not understood: %s: %s", command, missing, string(text))
}
