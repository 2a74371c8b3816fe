package main

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"ntl-setup/transport"
)

const rootLong = `ntl-setup makes a Network Trust Link between a client host (Citrix NetScaler,
Linux, Windows) and a Luna network HSM, over SSH to both, and proves that it holds.
Without a command it applies.`

const rootExample = `  ntl-setup --client root@192.0.2.10 --hsm admin@192.0.2.20 --name web1 --partition part1
  ntl-setup plan --client root@192.0.2.10 --hsm admin@192.0.2.20 --name web1 --partition part1
  ntl-setup status -o json --client local --client-address web1.example.net --hsm admin@hsm1 --partition part1
  ntl-setup plan -f ntl.yaml --only 'web*'`

// rootTail ends the help of the program.
const rootTail = `
Steps:
   1  create-certificate  client  a certificate pair of its own
   2  send-certificate    hsm     the appliance has that certificate
   3  add-server          client  vtl lists the HSM, trusted by its present certificate
   4  list-clients        hsm     the client's name is free, or its own
   5  register-client     hsm     the client is registered
   6  confirm-client      hsm     the registered certificate is the client's
   7  assign-partition    hsm     every wanted partition is assigned
   8  verify-link         client  vtl verify lists every wanted partition
   9  persist-config      client  NetScaler: the configuration survives a reboot
  10  start-gateway       client  NetScaler: one safenet_gw with the present configuration
  11  confirm-gateway     client  NetScaler: it still runs
  12  enroll-gateway      client  NetScaler: it starts at boot

Output of -o events, one JSON object a line, each with "time" and "event":
  link connect look plan preflight act confirm step end   what is done for a link, in order
  warning note error                                      as they come
  result                                                  the last line, with the document of -o json

Exit status:
    0  everything holds
    1  failed
    2  plan, status: something does not hold yet
    3  conflict: a person must decide
    4  a host was not reached, did not let in, or is not trusted
    5  the plan was not approved
   64  wrong usage or configuration
  130  interrupted
`

// newHelp is the help command; help and --help print the same.
func newHelp(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [command]",
		Short: "Explain a command",
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			var names []cobra.Completion
			if len(args) == 0 {
				for _, c := range root.Commands() {
					if !c.Hidden {
						names = append(names, cobra.CompletionWithDesc(c.Name(), c.Short))
					}
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			cmd, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return transport.Errorf(transport.ClassConfig, "", "no help on %q", strings.Join(args, " ")).
					WithHint("ntl-setup --help lists the commands")
			}
			return cmd.Help()
		},
	}
}

// order is that of the commands in the help: what one comes for first.
func order() []string {
	return []string{string(apply), string(plan), string(status), string(doctor), "journal", "validate", "schema", "version", "completion", "help"}
}

// helpText is what --help prints. groups are the flags, with their headings.
func helpText(cmd *cobra.Command, groups []group) string {
	var b strings.Builder
	b.WriteString(cmp.Or(cmd.Long, cmd.Short) + "\n\nUsage:\n  " + cmd.CommandPath() + strings.TrimPrefix(cmd.Use, cmd.Name()))
	if cmd.HasSubCommands() {
		b.WriteString(" [command]")
	}
	if len(groups) > 0 {
		b.WriteString(" [flags]")
	}
	b.WriteString("\n")
	if cmd.Example != "" {
		b.WriteString("\nExamples:\n" + cmd.Example + "\n")
	}
	if cmd.HasSubCommands() {
		b.WriteString("\nCommands:\n" + commandList(cmd))
	}
	for _, g := range groups {
		b.WriteString("\n" + g.title + ":\n" + g.flags.FlagUsages())
	}
	if !cmd.HasParent() {
		b.WriteString(rootTail)
	}
	return b.String()
}

// commandList is one line a command, those of the program in their order.
func commandList(parent *cobra.Command) string {
	var b strings.Builder
	line := func(c *cobra.Command) { fmt.Fprintf(&b, "  %-12s%s\n", c.Name(), c.Short) }
	if parent.HasParent() {
		for _, c := range parent.Commands() {
			line(c)
		}
		return b.String()
	}
	for _, name := range order() {
		for _, c := range parent.Commands() {
			if c.Name() == name {
				line(c)
			}
		}
	}
	return b.String()
}
