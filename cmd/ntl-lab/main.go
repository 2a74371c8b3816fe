package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"ntl-setup/fixtures/lab"
	"ntl-setup/fixtures/luna"

	"github.com/spf13/cobra"
)

// Exit statuses: exitWrong when the rehearsal did not go as it should, or the
// site could not be stood up; exitUsage for a wrong command line.
const (
	exitOK    = 0
	exitWrong = 1
	exitUsage = 64
)

func main() {
	lab.Dispatch()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// usageError is a command line that was not understood.
type usageError struct{ error }

// run is the whole program.
func run(ctx context.Context, argv []string, stdout, stderr io.Writer) int {
	root := &cobra.Command{
		Use: "ntl-lab", Short: "a simulated site to rehearse ntl-setup on",
		SilenceUsage: true, SilenceErrors: true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("unknown command %q", args[0])} //nolint:err113 // for a person
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetArgs(argv)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(upCommand(), demoCommand(), vtlCommand(), gatewayCommand(), lunashCommand())
	err := root.ExecuteContext(ctx)
	var status exitStatus
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &status):
		return int(status)
	}
	_, _ = fmt.Fprintln(stderr, "ntl-lab:", err) // nowhere else to say it
	if errors.As(err, new(usageError)) {
		return exitUsage
	}
	return exitWrong
}

// exitStatus is an error that was told already, or that an applet ended with.
type exitStatus int

func (e exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

func asError(code int) error {
	if code == exitOK {
		return nil
	}
	return exitStatus(code)
}

// vtlCommand is the client's tool, for a client root that is named.
func vtlCommand() *cobra.Command {
	return &cobra.Command{
		Use: "vtl CLIENT-ROOT WORD...", Short: "the client's vtl", DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 || args[0] == "-h" || args[0] == "--help" {
				return cmd.Help()
			}
			return asError(luna.Vtl(args[0], args[1:], cmd.OutOrStdout()))
		},
	}
}

// gatewayCommand is the NetScaler's gateway.
func gatewayCommand() *cobra.Command {
	return &cobra.Command{
		Use: "safenet_gw", Short: "the NetScaler's gateway: stays until SIGTERM", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return asError(luna.Gateway()) },
	}
}

// lunashCommand is described here for its help; lab.Dispatch has seen it first
// wherever it is complete.
func lunashCommand() *cobra.Command {
	return &cobra.Command{
		Use: "lunash APPLIANCE-DIR USER", Short: "the appliance's shell, as a ForceCommand of sshd", Args: cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			code, _ := luna.Applet(append([]string{"ntl-lab", "lunash"}, args...))
			return asError(code)
		},
	}
}
