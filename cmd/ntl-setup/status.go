package main

import "github.com/spf13/cobra"

func (a *app) newStatus() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show the state of each step, and when the certificates expire",
		Long: `status looks as plan does, and also tells until when the client's certificate and
the HSM's are valid. It changes nothing.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runCommand(cmd.Context(), status) },
	}
	a.bind(cmd)
	return cmd
}
