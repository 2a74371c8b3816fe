package posix

import (
	"fmt"
	"io/fs"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"ntl-setup/transport"
)

// addTo puts one section into the fact that it is about. An error means that
// the section does not read as the script writes it.
func (s section) addTo(f *transport.Fact) error {
	value := string(s.data)
	switch s.name {
	case "missing":
		f.Missing = true
	case "problem":
		f.Problem = strings.TrimSpace(value)
	case "link":
		f.Link = value
	case "data":
		f.Data = s.data
	case "header":
		f.Header = value
	case "damaged":
		f.Damaged = true
	case "encrypted":
		f.Encrypted = true
	case "public":
		f.Public = []byte(value + "\n")
	case "system":
		f.System = value
	case "user":
		f.User = value
	case "unwritable":
		f.Unwritable = true
	case "holders":
	case "machine", "found":
		s.addProgram(f, value)
	case "configdir":
		f.ConfigDir = value
	case "names":
		f.Names = entries(value)
	case "addresses":
		f.Names = addresses(value)
	default:
		return s.addNet(f, value)
	}
	return nil
}

// addNumbers is addTo for sections that have to be taken apart.
func (s section) addNumbers(f *transport.Fact, value string) error {
	var err error
	switch s.name {
	case "ls":
		f.Mode, f.Owner, f.Group, err = parseLs(value)
		f.Directory = strings.HasPrefix(value, "d")
	case "holder":
		var p transport.Process
		p, err = parseHolder(value)
		f.Processes = append(f.Processes, p)
	case "clock":
		var sec int64
		sec, err = strconv.ParseInt(value, 10, 64)
		f.Clock = time.Unix(sec, 0)
	default:
		err = fmt.Errorf("unknown answer %q", s.name)
	}
	return err
}

// parseHolder reads "PID NAME".
func parseHolder(line string) (transport.Process, error) {
	number, name, ok := strings.Cut(line, " ")
	pid, err := strconv.Atoi(number)
	if err != nil || !ok {
		return transport.Process{}, fmt.Errorf("no process: %q", line)
	}
	return transport.Process{PID: pid, Command: strings.TrimSpace(name)}, nil
}

// entries are the lines of `ls -a` without the directory itself and its parent.
func entries(list string) []string {
	names := []string{}
	for line := range strings.Lines(list) {
		if name := strings.TrimSuffix(line, "\n"); name != "." && name != ".." {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// addresses are the words after inet and inet6 in what ifconfig and ip print:
// "inet addr:192.0.2.1", "inet 192.0.2.1/24", "inet6 fe80::1%eth0". Each is
// given once.
func addresses(list string) []string {
	var found []string
	words := strings.Fields(list)
	for i := 1; i < len(words); i++ {
		if words[i-1] != "inet" && words[i-1] != "inet6" {
			continue
		}
		word := words[i]
		if word == "addr:" && i+1 < len(words) {
			word = words[i+1] // old net-tools put a blank before an IPv6 address
		}
		word = strings.TrimPrefix(word, "addr:")
		word, _, _ = strings.Cut(word, "/")
		word, _, _ = strings.Cut(word, "%")
		if a, err := netip.ParseAddr(word); err == nil && !slices.Contains(found, a.String()) {
			found = append(found, a.String())
		}
	}
	return found
}

// parseLs reads mode, owner and group from a line of `ls -ldn`. Behind the mode
// may stand a sign for an access list or a label.
func parseLs(line string) (mode fs.FileMode, owner, group string, err error) {
	words := strings.Fields(line)
	if len(words) < 4 || len(words[0]) < 10 || len(words[0]) > 11 {
		return 0, "", "", fmt.Errorf("no line of ls: %q", line)
	}
	mode, ok := parseMode(words[0][1:10])
	if !ok {
		return 0, "", "", fmt.Errorf("no mode: %q", words[0])
	}
	for _, id := range words[2:4] {
		if _, err := strconv.ParseUint(id, 10, 32); err != nil {
			return 0, "", "", fmt.Errorf("no number of a user or group: %q", id)
		}
	}
	return mode, words[2], words[3], nil
}

// parseMode reads the nine letters of a mode, "rwxr-sr-T".
func parseMode(letters string) (fs.FileMode, bool) {
	special := []fs.FileMode{fs.ModeSetuid, fs.ModeSetgid, fs.ModeSticky}
	var mode fs.FileMode
	for i := range 9 {
		bit := fs.FileMode(0o400) >> i
		c, third := letters[i], i%3 == 2
		switch {
		case c == '-':
		case c == "rwx"[i%3]:
			mode |= bit
		case third && (c == "sst"[i/3]):
			mode |= bit | special[i/3]
		case third && (c == "SST"[i/3]):
			mode |= special[i/3]
		default:
			return 0, false
		}
	}
	return mode, true
}
