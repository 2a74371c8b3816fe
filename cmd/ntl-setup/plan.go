package main

import "github.com/spf13/cobra"

func (a *app) newPlan() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Look at both hosts and show what apply would change; changes nothing",
		Long: `plan looks at both hosts with commands that only read, and shows every difference
between what is and what should be. Exit status 0: everything holds; 2: apply has
something to do; 3: a person must decide something first.

With --out the plan is also written to a new file, without secrets, so that one
person can plan and another approve: ntl-setup apply FILE does exactly that in all
its links, or nothing in any if one is not as it was shown any more.

With --commands it prints, in place of the table, what a person would type to do
the same by hand: the vtl, scp and lunash lines, the copies, edits and starts, in
order, each behind where it is typed. Steps that hold print nothing; where a
person must decide something first, no line is printed at all.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runCommand(cmd.Context(), plan) },
	}
	a.bind(cmd, func(c *cobra.Command) {
		c.Flags().StringVar(&a.planTo, "out", "", "also write the plan to this new `file`, for apply")
		c.Flags().BoolVar(&a.commands, "commands", false, "print the lines that a person would type to do it by hand")
	})
	return cmd
}
