package scp

import (
	"fmt"
	"strings"
)

// maxName is the longest name that common file systems hold.
const maxName = 255

// SourceLine is the command line that makes the far side send the file of that
// name: "scp -f NAME". A name that is not made of [A-Za-z0-9._:-], begins with
// "-", or is "." or ".." is an error, because nothing is ever quoted here.
func SourceLine(name string) (string, error) { return line("-f", name) }

// SinkLine is the command line that makes the far side take a file under that
// name: "scp -t NAME". Names are restricted as for [SourceLine].
func SinkLine(name string) (string, error) { return line("-t", name) }

func line(flag, name string) (string, error) {
	if err := checkName(name); err != nil {
		return "", err
	}
	return "scp " + flag + " " + name, nil
}

// checkName lets through what needs no quoting in any shell, lunash included,
// and cannot name another directory.
func checkName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("no file name to copy")
	case len(name) > maxName:
		return fmt.Errorf("the file name is longer than %d bytes", maxName)
	case name == "." || name == "..":
		return fmt.Errorf("%q names a directory", name)
	case name[0] == '-':
		return fmt.Errorf("the file name %q begins with a hyphen", name)
	}
	if i := strings.IndexFunc(name, func(r rune) bool { return !plain(r) }); i >= 0 {
		return fmt.Errorf("the file name %q holds a character other than letters, digits, and . _ : -", name)
	}
	return nil
}

func plain(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
		return true
	}
	return strings.ContainsRune("._:-", r)
}
