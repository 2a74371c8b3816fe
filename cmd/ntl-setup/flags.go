package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"ntl-setup/cmd/internal/config"
	"ntl-setup/steps"
)

// flagSet is the part of a flag set that help needs.
type flagSet interface{ FlagUsages() string }

// group is a part of the flags with a heading.
type group struct {
	title string
	flags flagSet
}

// bind gives a command the flags of a run, in groups. Only one command runs, so
// all fill the same values.
func (a *app) bind(cmd *cobra.Command, more ...func(c *cobra.Command)) {
	f := &a.flags
	groups := []group{}
	add := func(title string, define func(c *cobra.Command)) {
		part := &cobra.Command{} // a flag set of its own
		part.Flags().SortFlags = false
		define(part)
		cmd.Flags().AddFlagSet(part.Flags())
		groups = append(groups, group{title, part.Flags()})
	}
	add("What is wanted", func(c *cobra.Command) { bindLink(c, f) })
	add("What may be decided", func(c *cobra.Command) { bindDecisions(c, f) })
	add("How the hosts are reached", func(c *cobra.Command) { bindSSH(c, f) })
	add("How it runs", func(c *cobra.Command) { bindRun(c, f) })
	for _, own := range more {
		add("Of this command", own)
	}
	cmd.SetHelpFunc(func(asked *cobra.Command, _ []string) {
		shown := groups
		if asked != cmd { // a command below, which inherits this function and none of the flags
			shown = nil
		}
		_, _ = fmt.Fprint(asked.OutOrStdout(), helpText(asked, shown)) // a reader that left has read enough
	})
	complete := func(flag string, choices ...cobra.Completion) {
		// The one error is a flag that does not exist, and these two do.
		_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(choices, cobra.ShellCompDirectiveNoFileComp))
	}
	complete("output", "text", "json", "events")
	kinds := []cobra.Completion{}
	for _, kind := range steps.Kinds() {
		kinds = append(kinds, string(kind))
	}
	complete("client-kind", kinds...)
}

func bindLink(c *cobra.Command, f *config.Flags) {
	fs := c.Flags()
	fs.StringVar(&f.Client, "client", "", "the client `host`, [user@]host[:port], or local for this machine")
	fs.StringVar(&f.HSM, "hsm", "", "the appliance's `host`, [user@]host[:port]")
	fs.StringVar(&f.Name, "name", "", "the client's `name` on the HSM (default: the client address)")
	fs.StringVar(&f.ClientAddress, "client-address", "", "the `address` that the HSM knows the client by, IP or host name; also the\ncertificate's CN (default: the host of --client if it is an IP address)")
	fs.StringVar(&f.HSMAddress, "hsm-address", "", "the `address` that the client reaches the HSM by (default: the host of --hsm)")
	fs.StringVar(&f.MapHostIP, "map-host-ip", "", "the IP `address` that the HSM is to take the client from, where it knows the\nclient by host name and its DNS does not (client hostip map)")
	fs.StringArrayVar(&f.Partitions, "partition", nil, "the `name` of a partition; repeat it for several")
	fs.StringVar(&f.ClientKind, "client-kind", "", "auto, netscaler, linux or windows: the `kind` of client (default auto)")
	fs.StringVarP(&f.File, "file", "f", "", "many links in one `file` (ntl.yaml), in place of the flags above")
	fs.StringArrayVar(&f.Only, "only", nil, "of the file, only links that fit the `pattern`: by client/hsm, client, group,\nhsm or name (* and ? work); one that fits no link is an error")
	fs.StringArrayVar(&f.Skip, "skip", nil, "of the file, no link that fits the `pattern`, as with --only")
	fs.StringVar(&f.RetryFailed, "retry-failed", "", "of the file, only the links that a `report` (-o json) calls unsuccessful, known\nagain by client/hsm; none is no error")
	fs.StringVar(&f.ClientRoot, "client-root", "", "`directory` that stands for / on the client, for rehearsals")
	_ = fs.MarkHidden("client-root") // the one error is a flag that does not exist
}

func bindDecisions(c *cobra.Command, f *config.Flags) {
	fs := c.Flags()
	fs.BoolVar(&f.ReplaceServer, "replace-server-certificate", false, "trust the HSM's present certificate in place of another one")
	fs.BoolVar(&f.RestartGateway, "restart-gateway", false, "restart a running safenet_gw whose configuration is out of date")
	fs.BoolVar(&f.FixModes, "fix-modes", false, "repair wrong file modes of the client's certificate pair")
	fs.BoolVar(&f.BreakLock, "break-lock", false, "take over the lock of another run on the client host, at once")
}

func bindSSH(c *cobra.Command, f *config.Flags) {
	fs := c.Flags()
	fs.StringVar(&f.ClientPasswordFile, "client-password-file", "", "`file` with the client user's password; or "+config.EnvClientPassword)
	fs.StringVar(&f.HSMPasswordFile, "hsm-password-file", "", "`file` with the HSM user's password; or "+config.EnvHSMPassword)
	fs.StringVar(&f.ClientPasswordCommand, "client-password-command", "", "shell `command` whose first line of output is the client user's password")
	fs.StringVar(&f.HSMPasswordCommand, "hsm-password-command", "", "shell `command` whose first line of output is the HSM user's password")
	fs.StringArrayVarP(&f.Identities, "identity-file", "i", nil, "private key `file`; repeat it for several (else ~/.ssh/config, ssh-agent\nand the usual files)")
	fs.StringVar(&f.IdentityPassphrase, "identity-passphrase-file", "", "`file` with the passphrase of encrypted keys; or "+config.EnvIdentityPassphrase)
	bindRights(c, &f.Rights)
	fs.StringVar(&f.ClientHostKey, "client-host-key", "", "`fingerprint` (SHA256:…) that the client host's key must have")
	fs.StringVar(&f.HSMHostKey, "hsm-host-key", "", "`fingerprint` (SHA256:…) that the appliance's host key must have")
	fs.StringVar(&f.HSMCertificate, "hsm-certificate", "", "`fingerprint` (SHA256:…, in hex) that the appliance's NTLS certificate must have")
	fs.StringVar(&f.KnownHosts, "known-hosts", "", "known host keys, in this `file` alone (default ~/.ssh/known_hosts)")
	fs.BoolVar(&f.AcceptNewHostKeys, "accept-new-host-keys", false, "trust and remember host keys that are not known yet")
	fs.BoolVar(&f.LegacySSH, "legacy-ssh", false, "allow SSH algorithms that only old appliances need")
}

func bindRun(c *cobra.Command, f *config.Flags) {
	fs := c.Flags()
	fs.BoolVar(&f.DryRun, "dry-run", false, "plan only, whatever else is given")
	fs.BoolVarP(&f.Yes, "yes", "y", false, "apply without asking; decides no conflict")
	fs.BoolVar(&f.Deep, "deep", false, "also read every registered client, to name the holder of an address")
	fs.BoolVar(&f.SkipPreflight, "skip-preflight", false, "do not look first at the port, clocks and addresses between the hosts, nor\nstop at what is found there")
	fs.StringVarP(&f.Output, "output", "o", "", "text, json or events: the `form` of the results (default text); json is one\ndocument at the end, events one JSON object a line as things happen")
	fs.IntVar(&f.Parallel, "parallel", config.DefaultParallel, "with -f: so `many` clients at the same time")
	fs.IntVar(&f.MaxFailures, "max-failures", 0, "with -f: begin no other link once so `many` have failed (default: go on)")
	fs.DurationVar(&f.Timeout, "timeout", config.DefaultTimeout, "for the whole run")
	fs.DurationVar(&f.StepTimeout, "step-timeout", config.DefaultStepTimeout, "for one wait")
	fs.BoolP("help", "h", false, "print this")
}
