package main

import "github.com/spf13/cobra"

func (a *app) newApply() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "apply [PLAN]",
		Short: "Make the link: look, show the plan, ask, act, verify",
		Long: `apply looks at both hosts, shows what is not as it should be, asks, and makes it
so, one step at a time. A step counts as done only when a second look confirms it.
A conflict, which only a person can decide, stops the run before its first change.

After a failure or an interruption the same command goes on where the last one
ended: every run looks at the hosts and at nothing else. Where everything holds,
apply changes nothing and asks nothing.

With a PLAN that plan --out has written, apply does exactly what that shows, or
nothing: it looks at all its links first, and refuses it as a whole if one of them,
or a file on its client, is not as it was shown any more.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				return nil
			}
			return noArguments(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if len(args) == 1 {
				if a.saved, err = loadPlan(args[0], &a.flags); err != nil {
					return err
				}
			}
			return a.runCommand(cmd.Context(), apply)
		},
	}
	a.bind(cmd)
	return cmd
}
