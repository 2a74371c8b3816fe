package config

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"ntl-setup/cmd/internal/ui"
	"ntl-setup/steps"
	"ntl-setup/transport/ssh"
)

// Config is one run, checked.
type Config struct {
	Links       []Link // at least one
	DryRun      bool   // look only, whatever the command
	Yes         bool   // do not ask
	Output      ui.Format
	Timeout     time.Duration // the whole run
	StepTimeout time.Duration // one look or one act
	// Warnings are remarks on what was given, one line each.
	Warnings []string
}

// Link is one link that is wanted.
type Link struct {
	Client         End
	HSM            End
	Name           string // the client's name on the HSM
	ClientAddress  string // an IP address or a host name
	HSMAddress     string // what the client calls the HSM
	Partitions     []string
	Kind           string // one of steps.Kinds
	HSMCertificate string // fingerprint of the appliance's certificate, SHA256: and upper-case hex; or empty

	ReplaceServerCertificate bool
	RestartGateway           bool
	FixModes                 bool
	BreakLock                bool // another run's lock on the client host is taken over
	Deep                     bool
	Root                     string // directory that stands for / on the client, for rehearsals
}

// End is how one of the two hosts is reached.
type End struct {
	Local       bool // this machine; nothing else is set then
	Target      ssh.Target
	Password    *Secret // nil: from Command, or asked for if the host wants one
	Command     *Secret // a command line that prints the password, which may hold it too; nil: none
	CommandFlag string  // the flag that sets it, for messages
	HostKeyPin  string  // SHA256:…, or empty
	PinFlag     string  // the flag that sets it, for messages
	Identities  []string
	KnownHosts  string // a path; may not exist
	AcceptNew   bool
	Legacy      bool
}

// Name is how the end is called in results: user@host:port, or local.
func (e End) Name() string {
	if e.Local {
		return Local
	}
	return e.Target.Name
}

// Local is the --client that means this machine.
const Local = "local"

// Resolve checks what was typed and completes it. The error is a
// *transport.Error of class config.
func (f Flags) Resolve(env Env) (Config, error) {
	c := Config{DryRun: f.DryRun, Yes: f.Yes, Timeout: f.Timeout, StepTimeout: f.StepTimeout}
	checks := []func() error{
		f.available,
		f.required,
		f.durations,
		func() (err error) { c.Output, err = f.format(); return err },
		func() error { return c.addLink(f, env) },
	}
	for _, check := range checks {
		if err := check(); err != nil {
			return Config{}, err
		}
	}
	return c, nil
}

// available refuses what this version cannot do.
func (f Flags) available() error {
	switch {
	case f.File != "":
		return wrong("-f, --file is not available in this version").
			WithHint("give one link with --client, --hsm and --partition")
	case f.Output == "events":
		return wrong("-o events is not available in this version").WithHint("-o json prints one document at the end")
	}
	return nil
}

// required names everything that is missing at once.
func (f Flags) required() error {
	var missing []string
	if f.Client == "" {
		missing = append(missing, "--client")
	}
	if f.HSM == "" {
		missing = append(missing, "--hsm")
	}
	if len(f.Partitions) == 0 {
		missing = append(missing, "--partition")
	}
	if len(missing) == 0 {
		return nil
	}
	return wrong("missing: %s", strings.Join(missing, ", ")).
		WithHint("for example: ntl-setup --client root@192.0.2.10 --hsm admin@192.0.2.20 --partition part1")
}

func (f Flags) durations() error {
	if f.Timeout <= 0 {
		return wrong("--timeout %s is not a time to wait", f.Timeout)
	}
	if f.StepTimeout <= 0 {
		return wrong("--step-timeout %s is not a time to wait", f.StepTimeout)
	}
	return nil
}

func (f Flags) format() (ui.Format, error) {
	switch format := ui.Format(f.Output); format {
	case ui.Text, ui.JSON:
		return format, nil
	case "":
		return ui.Text, nil
	}
	return "", wrong("--output %q is none of text, json, events", f.Output)
}

// addLink makes the link that the flags describe.
func (c *Config) addLink(f Flags, env Env) error {
	l := Link{
		Name: f.Name, ClientAddress: f.ClientAddress, HSMAddress: f.HSMAddress, Kind: f.ClientKind,
		ReplaceServerCertificate: f.ReplaceServer, RestartGateway: f.RestartGateway, FixModes: f.FixModes, BreakLock: f.BreakLock,
		Deep: f.Deep, Root: f.ClientRoot, HSMCertificate: f.HSMCertificate,
	}
	if err := c.addEnds(&l, f, env); err != nil {
		return err
	}
	for _, fill := range []func() error{
		l.fillClientAddress,
		func() error { return l.fillHSMAddress(env) },
		l.fillName,
		func() error { return l.fillPartitions(f.Partitions) },
		l.fillKind,
		l.checkRoot,
		l.pinCertificate,
	} {
		if err := fill(); err != nil {
			return err
		}
	}
	c.Links = append(c.Links, l)
	return nil
}

func (l *Link) fillClientAddress() error {
	if l.ClientAddress == "" {
		if _, err := netip.ParseAddr(l.Client.Target.Host); l.Client.Local || err != nil {
			return wrong("--client-address is needed: --client %s does not tell the address that the HSM sees", l.Client.Name()).
				WithHint("give the IP address or the host name that the HSM is to know the client by; it becomes the certificate's CN")
		}
		l.ClientAddress = l.Client.Target.Host
	}
	if err := checkAddress("--client-address", l.ClientAddress); err != nil {
		return err
	}
	return checkOwn("--client-address", l.ClientAddress)
}

func (l *Link) fillHSMAddress(env Env) error {
	if l.HSMAddress == "" {
		l.HSMAddress = l.HSM.Target.Host
		if env.mapsHost(l.HSMAddress) {
			return wrong("--hsm-address is needed: ~/.ssh/config maps %s to another host", l.HSMAddress).
				WithHint("give the IP address or the host name that the client reaches the HSM by")
		}
	}
	return checkAddress("--hsm-address", l.HSMAddress)
}

// mapsHost reports whether the user's OpenSSH configuration maps a host to
// another name. Without a readable one, nothing is mapped.
func (e Env) mapsHost(host string) bool {
	if e.Home == "" {
		return false
	}
	data, err := os.ReadFile(filepath.Join(e.Home, ".ssh", "config")) //nolint:gosec // the user's own file
	return err == nil && aliased(string(data), host)
}

func (l *Link) fillName() error {
	if l.Name == "" {
		l.Name = l.ClientAddress
	}
	if err := checkName("--name", l.Name); err != nil {
		return err
	}
	return checkOwn("--name", l.Name)
}

// fillPartitions takes each partition once, in the order given.
func (l *Link) fillPartitions(names []string) error {
	for _, name := range names {
		err := checkName("--partition", name)
		if err != nil {
			if strings.ContainsAny(name, ", ") {
				return wrong("--partition %q is no name of a partition", name).WithHint("repeat --partition for each of several")
			}
			return err
		}
		if !slices.Contains(l.Partitions, name) {
			l.Partitions = append(l.Partitions, name)
		}
	}
	return nil
}

func (l *Link) fillKind() error {
	if l.Kind == "" {
		l.Kind = string(steps.Auto)
	}
	if kinds := steps.Kinds(); !slices.Contains(kinds, steps.Kind(l.Kind)) {
		return wrong("--client-kind %q is none of %s", l.Kind, strings.Trim(fmt.Sprint(kinds), "[]"))
	}
	return nil
}

// checkRoot wants a whole path, as it is used on the client.
func (l *Link) checkRoot() error {
	if l.Root != "" && !strings.HasPrefix(l.Root, "/") {
		return wrong("--client-root %q is not a whole path", l.Root)
	}
	return nil
}
