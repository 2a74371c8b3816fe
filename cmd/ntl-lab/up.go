package main

import (
	"errors"
	"fmt"
	"io"

	"ntl-setup/fixtures/lab"

	"github.com/spf13/cobra"
)

// upCommand keeps a site up.
func upCommand() *cobra.Command {
	var flags siteFlags
	cmd := &cobra.Command{
		Use: "up", Short: "stand up the site until Ctrl-C, and print the command lines to try", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			s, err := flags.open()
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			if err := describe(cmd.OutOrStdout(), s, flags.openSSH); err != nil {
				return err
			}
			<-cmd.Context().Done()
			return nil
		},
	}
	flags.add(cmd)
	return cmd
}

// describe tells how the site is reached and what to try.
func describe(w io.Writer, s *lab.Site, openSSH bool) error {
	words := arguments(s, openSSH)
	program := product("")
	_, err := fmt.Fprintf(w, `The site is up: a %s client and a Luna appliance, on loopback alone.

  client  %s  (its tree: %s)
  hsm     %s  (its directory: %s)
  NTLS    %s, from %s

Look, and change nothing:

%s

Make the link (then run it again: there is nothing left to do):

%s

What the appliance was sent stands in %s/commands.log,
what vtl was called with in %s/vtl.log. Ctrl-C ends the site.
`, s.Kind, s.ClientTarget, s.ClientRoot, s.HSMTarget, s.Appliance().Dir(), s.HSMAddress, s.ClientAddress,
		shown(program, append([]string{"plan"}, words...)),
		shown(program, append([]string{"apply"}, words...)),
		s.Appliance().Dir(), s.ClientRoot)
	if err != nil {
		return fmt.Errorf("describe the site: %w", err)
	}
	return nil
}
