package main

import "github.com/spf13/cobra"

// newCompletion prints completion scripts for the shells that cobra knows.
func newCompletion(root *cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "completion",
		Short: "Print a completion script for a shell",
		Long: `completion prints a script that teaches a shell the commands and flags. For example:

  source <(ntl-setup completion bash)
  ntl-setup completion zsh > "${fpath[1]}/_ntl-setup"
  ntl-setup completion fish > ~/.config/fish/completions/ntl-setup.fish
  ntl-setup completion powershell | Out-String | Invoke-Expression`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	add := func(shell string, generate func(cmd *cobra.Command) error) {
		cmd.AddCommand(&cobra.Command{
			Use:   shell,
			Short: "Print the completion script for " + shell,
			Args:  noArguments,
			RunE:  func(cmd *cobra.Command, _ []string) error { return generate(cmd) },
		})
	}
	add("bash", func(cmd *cobra.Command) error { return root.GenBashCompletionV2(cmd.OutOrStdout(), true) })
	add("zsh", func(cmd *cobra.Command) error { return root.GenZshCompletion(cmd.OutOrStdout()) })
	add("fish", func(cmd *cobra.Command) error { return root.GenFishCompletion(cmd.OutOrStdout(), true) })
	add("powershell", func(cmd *cobra.Command) error { return root.GenPowerShellCompletionWithDesc(cmd.OutOrStdout()) })
	return cmd
}
