package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ntl-setup/cmd/internal/config"
	"ntl-setup/cmd/internal/ui"
	"ntl-setup/orchestrator"
	"ntl-setup/transport"
)

// asker is somebody who can be asked; a *ui.Terminal.
type asker interface {
	Confirm(ctx context.Context, question string) (bool, error)
	Secret(ctx context.Context, prompt string) (string, error)
	Close() error
}

// app is one call of the program, with everything from outside that it uses.
type app struct {
	out, err ui.Stream
	env      config.Env
	openTTY  func() (asker, error)
	signals  <-chan os.Signal
	run      runner
	alone    func() // is called before the work on an only link; nil: nothing is

	args    []string   // the command line
	planTo  string     // where a plan is saved; empty: nowhere
	planOut *planFile  // the same, opened; nil: nowhere
	saved   *savedPlan // what is applied; nil: what the flags say
	// commands: a plan is printed as what a person would type.
	commands bool
	// patience goes to each job; zero: what the flags give.
	patience patience
	flags    config.Flags
	collect  string      // where doctor leaves what it read; empty: nowhere
	status   int         // what the command that ran wants as exit status
	ended    ui.Document // of the run, once it has ended
}

// Main runs the program with the arguments after its name and returns its exit
// status.
func Main(args []string) int {
	signals, stop := watchSignals()
	defer stop()
	a := &app{
		out: ui.NewStream(os.Stdout, os.Getenv),
		err: ui.NewStream(os.Stderr, os.Getenv),
		env: config.Session(),
		openTTY: func() (asker, error) {
			t, err := ui.OpenTerminal()
			if err != nil {
				return nil, err // not a nil *ui.Terminal in a non-nil asker
			}
			return t, nil
		},
		signals: signals,
		run:     runLink,
		// One link waits more than it computes. A second processor is woken for a
		// few lines at a time, which takes a fifth of such a run's CPU.
		alone: func() { runtime.GOMAXPROCS(1) },
	}
	return a.main(context.Background(), args)
}

// main runs one command line.
func (a *app) main(ctx context.Context, args []string) int {
	a.args = args
	a.out.Writer = &told{w: a.out.Writer}
	root := a.newRoot()
	root.SetArgs(args)
	root.SetOut(a.out)
	root.SetErr(a.err)
	cmd, err := root.ExecuteContextC(ctx)
	if lost := a.lost(); err != nil && (lost == nil || !errors.Is(err, lost)) {
		a.status = a.usage(cmd, args, err)
	}
	if lost := a.lost(); lost != nil {
		return a.untold(lost)
	}
	return a.status
}

// newRoot is the command line: ntl-setup alone is ntl-setup apply.
func (a *app) newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:               "ntl-setup",
		Short:             "Make a Network Trust Link between a client host and a Luna network HSM",
		Long:              rootLong,
		Example:           rootExample,
		Args:              noArguments,
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		RunE:              func(cmd *cobra.Command, _ []string) error { return a.runCommand(cmd.Context(), apply) },
	}
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return noEmptyFlags(cmd) }
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return transport.Errorf(transport.ClassConfig, "", "%w", err).WithHint("%s --help lists the flags", cmd.CommandPath())
	})
	a.bind(root)
	root.SetHelpCommand(newHelp(root))
	root.AddCommand(a.newApply(), a.newPlan(), a.newStatus(), a.newDoctor(), a.newJournal(), a.newValidate(), newSchema(), newVersion(), newCompletion(root))
	return root
}

// noEmptyFlags refuses a flag that was given without a word: an unset variable
// of a script must not do what leaving the flag away does, least of all to a pin.
func noEmptyFlags(cmd *cobra.Command) error {
	var empty error
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if empty == nil && !f.Hidden && f.Value.Type() == "string" && f.Value.String() == "" {
			empty = transport.Errorf(transport.ClassConfig, "", "--%s is empty", f.Name).WithHint("leave the flag away, or give it a value")
		}
	})
	return empty
}

// noArguments refuses words that are no flags; the nearest command is suggested.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if cmd.HasParent() {
		return transport.Errorf(transport.ClassConfig, "", "%s takes no arguments, and %q is one", cmd.CommandPath(), args[0]).
			WithHint("%s --help lists the flags", cmd.CommandPath())
	}
	err := transport.Errorf(transport.ClassConfig, "", "unknown command %q", args[0]).
		WithHint("ntl-setup --help lists the commands")
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		return err.WithHint("did you mean ntl-setup %s?", strings.Join(near, " or "))
	}
	return err
}

// usage reports wrong usage or configuration, in the form that was asked for as
// far as that can be told, and returns the exit status.
func (a *app) usage(cmd *cobra.Command, args []string, err error) int {
	var known interface{ ErrorClass() string }
	if !errors.As(err, &known) {
		err = transport.Errorf(transport.ClassConfig, "", "%w", err)
	}
	command := commandOf(cmd, a.flags.DryRun)
	format := ui.Text
	if command != "" {
		format = wantedFormat(args)
	}
	view := ui.NewView(string(command), format, a.out, a.err)
	defer view.Close()
	view.Failure("", orchestrator.Fail(err))
	stopped := ui.Stopped(err)
	if format == ui.Text {
		return ui.ExitStatus(stopped.Result, stopped.Err.Class)
	}
	f := a.flags
	doc := ui.NewDocument(string(command), ui.Outcome{
		Client: f.Client, HSM: f.HSM, Name: f.Name, ClientAddress: f.ClientAddress,
		Partitions: f.Partitions, Report: stopped,
	})
	if err := view.Done(doc, a.out.Writer); err != nil && a.lost() == nil {
		writeLine(a.err, err.Error())
	}
	return doc.Exit
}

// commandOf is the command that a document is about; empty for the others.
func commandOf(cmd *cobra.Command, dryRun bool) command {
	name := apply
	if cmd.HasParent() {
		name = command(cmd.Name())
	}
	switch name {
	case apply:
		if dryRun {
			return plan
		}
		return apply
	case plan, status, doctor:
		return name
	}
	return ""
}

// wantedFormat looks for -o without the help of the flag parser, which may have
// stopped before it. The last one counts.
func wantedFormat(args []string) ui.Format {
	format := ui.Text
	for i, arg := range args {
		if arg == "--" {
			break
		}
		value, found := "", false
		switch {
		case arg == "-o" || arg == "--output":
			if found = i+1 < len(args); found {
				value = args[i+1]
			}
		case strings.HasPrefix(arg, "--output="):
			value, found = strings.TrimPrefix(arg, "--output="), true
		case strings.HasPrefix(arg, "-o"):
			value, found = strings.TrimPrefix(strings.TrimPrefix(arg, "-o"), "="), true
		}
		if f := ui.Format(value); found && (f == ui.Text || f == ui.JSON || f == ui.Events) {
			format = f
		}
	}
	return format
}

// writeLine writes to a stream whose reader may be gone, which is nobody's loss.
func writeLine(w io.Writer, text string) { _, _ = fmt.Fprintln(w, text) }
