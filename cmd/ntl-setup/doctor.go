package main

import (
	"context"

	"github.com/spf13/cobra"

	"ntl-setup/cmd/internal/ui"
	"ntl-setup/steps/preflight"
)

func (a *app) newDoctor() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look at what lies between the hosts: port, certificate, clocks, addresses",
		Long: `doctor reaches both hosts and looks at what the link needs between them: TCP port
1792 of the HSM from the client, the certificate that is shown there, the three
clocks, the validity of both certificates, and the address that the client comes
from. It changes nothing. plan and apply make the same preflight by themselves
while the link does not hold yet.

With --collect it also leaves transcripts of both hosts and what it read of them
in a directory, for somebody else to look at when an appliance or a client answers
in words that ntl-setup does not understand. Passwords and private keys are not in
there; names, addresses, serial numbers and certificates are.

Exit status 0: no problem was found (there may be warnings); 1: a problem, with
which the link cannot work; 3: a person must decide something first; 4: a host was
not reached, did not let in, or is not trusted; 64: wrong usage; 130: interrupted.`,
		Example: `  ntl-setup doctor --client root@192.0.2.10 --hsm admin@192.0.2.20
  ntl-setup doctor --client root@192.0.2.10 --hsm admin@192.0.2.20 --collect ./for-support`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			a.flags.AnyPartition = true
			return a.runCommand(cmd.Context(), doctor)
		},
	}
	a.bind(cmd, func(c *cobra.Command) {
		c.Flags().StringVar(&a.collect, "collect", "", "leave transcripts and what was read in this `directory`, new or empty")
	})
	return cmd
}

// diagnose is doctor's work on one link.
func (j job) diagnose(ctx context.Context, o ui.Outcome, hosts *reached) ui.Outcome {
	o.Preflight = j.preflight.make(ctx)
	if err := context.Cause(ctx); err != nil {
		return j.stopped(ctx, err)
	}
	o.Report.Result = ui.Sound
	if preflight.Worst(o.Preflight) == preflight.Problem {
		o.Report.Result = ui.Troubled
	}
	if j.collection != nil {
		j.view.Progress("reading what is collected")
		j.collection.read(ctx, hosts.site)
	}
	return o
}
