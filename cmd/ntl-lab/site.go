package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"ntl-setup/fixtures/lab"
	"ntl-setup/fixtures/luna"

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
	clientShell        string
	openSSH            bool
}

func (f *siteFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.dir, "dir", "", "where the site lives (default: a temporary directory, removed at the end)")
	cmd.Flags().StringVar(&f.dialect, "dialect", "7", "the appliance's release: "+strings.Join(luna.Dialects(), ", "))
	cmd.Flags().StringVar(&f.kind, "kind", string(lab.NetScaler), "the client host: netscaler, linux or windows (needs wine64, and Go in the sources of this program)")
	cmd.Flags().StringVar(&f.clientShell, "client-shell", "sh",
		"login shell on the client: sh, bash, csh, or the NetScaler CLI: nscli, nscli-deaf (hands no standard input on), nscli-restricted (allows no shell)")
	cmd.Flags().BoolVar(&f.openSSH, "openssh", false, "serve both hosts by real sshd daemons (needs openssh-server)")
}

// open stands the site up.
func (f *siteFlags) open() (*lab.Site, error) {
	if known := luna.Dialects(); !slices.Contains(known, f.dialect) {
		return nil, usageError{fmt.Errorf("--dialect %s: must be one of %s", f.dialect, strings.Join(known, ", "))} //nolint:err113 // for a person
	}
	switch lab.Kind(f.kind) {
	case lab.NetScaler, lab.Linux, lab.Windows:
	default:
		return nil, usageError{fmt.Errorf("--kind %s: must be netscaler, linux or windows", f.kind)} //nolint:err113 // for a person
	}
	shell, err := clientShell(f.clientShell)
	if err != nil {
		return nil, err
	}
	s, err := lab.New(lab.Options{Dir: f.dir, Dialect: f.dialect, Kind: lab.Kind(f.kind), OpenSSH: f.openSSH, ClientShell: shell})
	if err != nil {
		return nil, fmt.Errorf("stand up the site: %w", err)
	}
	return s, nil
}

// clientShell is a login shell as the lab wants it named.
func clientShell(name string) (string, error) {
	switch name {
	case "sh":
		return "", nil
	case "powershell":
		return lab.PowerShell, nil
	case "nscli":
		return lab.NSCLI, nil
	case "nscli-deaf":
		return lab.NSCLIDeaf, nil
	case "nscli-restricted":
		return lab.NSCLIRestricted, nil
	case "bash", "csh":
		path, err := exec.LookPath(name)
		if err != nil {
			return "", fmt.Errorf("--client-shell %s: it is not installed: %w", name, err)
		}
		return path, nil
	}
	return "", usageError{fmt.Errorf("--client-shell %s: must be sh, bash, csh, nscli, nscli-deaf or nscli-restricted", name)} //nolint:err113 // for a person
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
	if s.HSMAddress == s.ClientAddress { // without addresses of its own NTLS is at some other port than 1792
		words = append(words, "--skip-preflight")
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
