package main

import "github.com/spf13/cobra"

func (a *app) newApply() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "apply",
		Short: "Make the link: look, show the plan, ask, act, verify",
		Long: `apply looks at both hosts, shows what is not as it should be, asks, and makes it
so, one step at a time. A step counts as done only when a second look confirms it.
A conflict, which only a person can decide, stops the run before its first change.

After a failure or an interruption the same command goes on where the last one
ended: every run looks at the hosts and at nothing else. Where everything holds,
apply changes nothing and asks nothing.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runCommand(cmd.Context(), apply) },
	}
	a.bind(cmd)
	return cmd
}
