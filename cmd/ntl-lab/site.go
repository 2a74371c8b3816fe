package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"ntl-setup/fixtures/lab"

	"github.com/spf13/cobra"
)

// The link that the lab is about.
const (
	linkName      = "NS-web1"
	linkPartition = "partition6"
)

// siteFlags say what site is wanted.
type siteFlags struct {
	dir, dialect, kind string
	openSSH            bool
}

func (f *siteFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.dir, "dir", "", "where the site lives (default: a temporary directory, removed at the end)")
	cmd.Flags().StringVar(&f.dialect, "dialect", "7", "the appliance's release: 5, 6, 7 or 7.9")
	cmd.Flags().StringVar(&f.kind, "kind", string(lab.NetScaler), "the client host: netscaler or linux")
	cmd.Flags().BoolVar(&f.openSSH, "openssh", false, "serve both hosts by real sshd daemons (needs openssh-server)")
}

// open stands the site up.
func (f *siteFlags) open() (*lab.Site, error) {
	switch f.dialect {
	case "5", "6", "7", "7.9":
	default:
		return nil, usageError{fmt.Errorf("--dialect %s: must be 5, 6, 7 or 7.9", f.dialect)} //nolint:err113 // for a person
	}
	switch lab.Kind(f.kind) {
	case lab.NetScaler, lab.Linux:
	default:
		return nil, usageError{fmt.Errorf("--kind %s: must be netscaler or linux", f.kind)} //nolint:err113 // for a person
	}
	s, err := lab.New(lab.Options{Dir: f.dir, Dialect: f.dialect, Kind: lab.Kind(f.kind), OpenSSH: f.openSSH})
	if err != nil {
		return nil, fmt.Errorf("stand up the site: %w", err)
	}
	return s, nil
}

// arguments are the words of ntl-setup for this site, less the command.
func arguments(s *lab.Site, openSSH bool) []string {
	words := []string{
		"--client", s.ClientTarget, "--hsm", s.HSMTarget,
		"--client-address", s.ClientAddress, "--hsm-address", s.HSMAddress,
		"--name", linkName, "--partition", linkPartition,
	}
	if openSSH {
		words = append(words, "--identity-file", s.IdentityFile)
	} else {
		words = append(words, "--client-password-file", s.ClientPasswordFile, "--hsm-password-file", s.HSMPasswordFile)
	}
	return append(words, "--known-hosts", s.KnownHosts, "--client-root", s.ClientRoot)
}

// shown is a command line to be read and pasted: a flag and its value to a line.
func shown(program string, words []string) string {
	var b strings.Builder
	b.WriteString(quoted(program))
	for _, w := range words {
		if strings.HasPrefix(w, "--") {
			b.WriteString(" \\\n   ")
		}
		b.WriteString(" " + quoted(w))
	}
	return b.String()
}

// quoted is a word for sh.
func quoted(word string) string {
	if word != "" && strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:@=+,") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// product is where ntl-setup is: named, beside this program, or on PATH.
func product(named string) string {
	if named != "" {
		return named
	}
	name := "ntl-setup"
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	self, err := os.Executable()
	if err != nil {
		return name
	}
	beside := filepath.Join(filepath.Dir(self), name)
	if _, err := os.Stat(beside); err != nil {
		return name
	}
	return beside
}
