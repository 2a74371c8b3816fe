package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"ntl-setup/cmd/internal/config"
	"ntl-setup/cmd/internal/ui"
	"ntl-setup/transport"
)

// newValidate checks a file of links without any host.
func (a *app) newValidate() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "validate -f FILE",
		Short: "Check a file of links, without any host",
		Long: `Check a file of links (ntl.yaml) without any host. Every mistake is told at once,
as file:line:column: text; where the file ends to be YAML, that place alone. Exit status: 0 it is in order, 64 it is not.`,
		Args: noArguments,
	}
	file := cmd.Flags().StringP("file", "f", "", "the `file`")
	cmd.RunE = func(*cobra.Command, []string) error {
		if *file == "" {
			return transport.Errorf(transport.ClassConfig, "", "missing: -f FILE").WithHint("for example: ntl-setup validate -f ntl.yaml")
		}
		links, err := config.Validate(*file, a.env)
		var mistakes config.Mistakes
		switch {
		case errors.As(err, &mistakes):
			for _, m := range mistakes {
				writeLine(a.err, transport.Printable(m.String()))
			}
			a.status = ui.ExitUsage
			return nil
		case err != nil:
			return err
		}
		if links == 1 {
			writeLine(a.out, *file+": in order, 1 link")
			return nil
		}
		writeLine(a.out, fmt.Sprintf("%s: in order, %d links", *file, links))
		return nil
	}
	return cmd
}

// newSchema prints the JSON Schema of a file of links.
func newSchema() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of a file of links, for editors",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := cmd.OutOrStdout().Write(config.FileSchema)
			return err
		},
	}
}
