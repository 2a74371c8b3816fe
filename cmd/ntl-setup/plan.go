package main

import "github.com/spf13/cobra"

func (a *app) newPlan() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Look at both hosts and show what apply would change; changes nothing",
		Long: `plan looks at both hosts with commands that only read, and shows every difference
between what is and what should be. Exit status 0: everything holds; 2: apply has
something to do; 3: a person must decide something first.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runCommand(cmd.Context(), plan) },
	}
	a.bind(cmd)
	return cmd
}
