package config

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"ntl-setup/cmd/internal/ui"
	"ntl-setup/steps"
	"ntl-setup/transport/ssh"
)

// Config is one run, checked.
type Config struct {
	Links       []Link // none only where a report, or a plan, leaves nothing to do
	FileText    []byte // of the file of links that they were made of, as it was read; nil without one
	DryRun      bool   // look only, whatever the command
	Yes         bool   // do not ask
	Output      ui.Format
	Parallel    int           // clients at work at the same time; at least 1
	MaxFailures int           // links that may fail before no other is begun; 0: any number
	Timeout     time.Duration // the whole run
	StepTimeout time.Duration // one look or one act
	// Warnings are remarks on what was given, one line each.
	Warnings []string
	// Notes are what was taken from ~/.ssh/config, one line each.
	Notes []string
	// SecretVariables are the environment variables that the file of links takes
	// passwords from: no process that is started gets them.
	SecretVariables []string
	// Passphrase opens encrypted key files; nil: it is asked for.
	Passphrase *Secret
}

// Link is one link that is wanted.
type Link struct {
	ID             string // client/hsm, as the file calls them; empty without a file
	Client         End
	HSM            End
	Name           string // the client's name on the HSM
	ClientAddress  string // an IP address or a host name
	HSMAddress     string // what the client calls the HSM
	Partitions     []string
	MapHostIP      string // the address that the HSM is to take a client from that it knows by host name; or empty
	Kind           string // one of steps.Kinds
	Rights         Rights // on the client
	HSMCertificate string // fingerprint of the appliance's certificate, SHA256: and upper-case hex; or empty

	ReplaceServerCertificate bool
	RestartGateway           bool
	FixModes                 bool
	BreakLock                bool // another run's lock on the client host is taken over
	Deep                     bool
	SkipPreflight            bool   // what lies between the hosts is not looked at first
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
	Keys        ssh.Keys
	KnownHosts  []string // paths; may not exist
	AcceptNew   bool
	Legacy      bool
	Others      int // hosts that have the same user, no password given either, and are asked for together with this one

	// What ~/.ssh/config adds.
	Host         string        // as it was typed
	Aliased      bool          // Host means nothing elsewhere: another name is dialled
	HostKeyAlias string        // what KnownHosts call it; or empty
	Patience     time.Duration // each stage of connecting; 0: the usual one
	Jump         *End          // what it is reached through; nil: directly
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
	c := Config{
		DryRun: f.DryRun, Yes: f.Yes, Timeout: f.Timeout, StepTimeout: f.StepTimeout,
		Parallel: cmp.Or(f.Parallel, DefaultParallel), MaxFailures: f.MaxFailures,
	}
	checks := []func() error{
		f.alone,
		f.required,
		f.durations,
		func() (err error) { c.Output, err = f.format(); return err },
		func() error {
			if f.File != "" {
				return c.addFile(f, env)
			}
			return c.addLink(f, env)
		},
	}
	for _, check := range checks {
		if err := check(); err != nil {
			return Config{}, err
		}
	}
	return c, nil
}

// required names everything that is missing at once.
func (f Flags) required() error {
	if f.File != "" {
		return nil
	}
	var missing []string
	if f.Client == "" {
		missing = append(missing, "--client")
	}
	if f.HSM == "" {
		missing = append(missing, "--hsm")
	}
	if len(f.Partitions) == 0 && !f.AnyPartition {
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
	if f.Parallel < 0 || f.MaxFailures < 0 {
		return wrong("--parallel and --max-failures count, and a number below 0 counts nothing")
	}
	if f.StepTimeout <= 0 {
		return wrong("--step-timeout %s is not a time to wait", f.StepTimeout)
	}
	return nil
}

func (f Flags) format() (ui.Format, error) {
	switch format := ui.Format(f.Output); format {
	case ui.Text, ui.JSON, ui.Events:
		return format, nil
	case "":
		return ui.Text, nil
	}
	return "", wrong("--output %q is none of text, json, events", f.Output)
}

// addLink makes the link that the flags describe.
func (c *Config) addLink(f Flags, env Env) error {
	return c.addLinkBy(f, env, func(l *Link) error { return c.addEnds(l, f, env) })
}

// addLinkBy makes a link whose two hosts something else fills in.
func (c *Config) addLinkBy(f Flags, env Env, ends func(*Link) error) error {
	l := Link{
		Name: f.Name, ClientAddress: f.ClientAddress, HSMAddress: f.HSMAddress, MapHostIP: f.MapHostIP, Kind: f.ClientKind,
		ReplaceServerCertificate: f.ReplaceServer, RestartGateway: f.RestartGateway, FixModes: f.FixModes, BreakLock: f.BreakLock,
		Deep: f.Deep, SkipPreflight: f.SkipPreflight, Root: f.ClientRoot, HSMCertificate: f.HSMCertificate,
	}
	if err := ends(&l); err != nil {
		return err
	}
	for _, fill := range []func() error{
		l.fillClientAddress,
		l.checkHostName,
		l.fillHSMAddress,
		l.fillName,
		func() error { return l.fillPartitions(f.Partitions) },
		l.fillKind,
		l.checkRoot,
		func() error { return c.addRights(&l, f.Rights, env) },
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
		if _, err := netip.ParseAddr(l.Client.Host); l.Client.Local || l.Client.Aliased || err != nil {
			return wrong("--client-address is needed: --client %s does not tell the address that the HSM sees", l.Client.Name()).
				WithHint("give the IP address or the host name that the HSM is to know the client by; it becomes the certificate's CN")
		}
		l.ClientAddress = l.Client.Host
	}
	if err := checkAddress("--client-address", l.ClientAddress); err != nil {
		return err
	}
	return checkOwn("--client-address", l.ClientAddress)
}

func (l *Link) fillHSMAddress() error {
	if l.HSMAddress == "" {
		l.HSMAddress = l.HSM.Host
		if l.HSM.Aliased {
			return wrong("--hsm-address is needed: ~/.ssh/config maps %s to another host", l.HSMAddress).
				WithHint("give the IP address or the host name that the client reaches the HSM by")
		}
	}
	return checkAddress("--hsm-address", l.HSMAddress)
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
