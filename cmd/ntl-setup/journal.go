package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"ntl-setup/orchestrator"
	"ntl-setup/orchestrator/journal"
	"ntl-setup/transport"
)

func (a *app) newJournal() *cobra.Command {
	last := 20
	cmd := &cobra.Command{
		Use:   "journal [run]",
		Short: "Show the last runs, or one run and the commands that would undo it",
		Long: `journal shows the last runs of this user on this machine. With the name of a run
(its beginning is enough) it shows that run: what was seen, what was changed, and,
for a run that changed something, the commands that would undo it. Nothing is
connected to, and nothing is ever undone by itself.

Journals are for people: no run reads one, and none is ever deleted. They are
below $XDG_STATE_HOME/ntl-setup (default ~/.local/state/ntl-setup).`,
		Args: cobra.MaximumNArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := a.runs()
			if err != nil {
				return err
			}
			if len(args) == 0 {
				return listRuns(cmd.OutOrStdout(), dir, last)
			}
			s, err := journal.Find(dir, args[0])
			if err != nil {
				return err
			}
			return showAll(cmd.OutOrStdout(), showRun(s))
		},
	}
	cmd.Flags().IntVarP(&last, "last", "n", last, "show this `number` of runs")
	cmd.Flags().BoolP("help", "h", false, "print this")
	cmd.SetHelpFunc(func(asked *cobra.Command, _ []string) {
		_ = showAll(asked.OutOrStdout(), helpText(asked, []group{{"Flags", asked.Flags()}})) // a reader that left has read enough
	})
	return cmd
}

// showAll prints a text.
func showAll(w io.Writer, text string) error {
	if _, err := io.WriteString(w, text); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// listRuns prints one line for each link of the last runs, the newest first.
func listRuns(w io.Writer, dir string, n int) error {
	if n < 1 {
		return transport.Errorf(transport.ClassConfig, "", "-n, --last %d shows nothing", n)
	}
	runs, err := journal.Runs(dir, n)
	if err != nil {
		return err
	}
	if len(runs) == 0 {
		return showAll(w, "No runs are on record in "+transport.Printable(dir)+".\n")
	}
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	row := func(words ...string) {
		for i, word := range words {
			words[i] = transport.Printable(word)
		}
		_, _ = fmt.Fprintln(t, strings.Join(words, "\t")) // a strings.Builder takes everything
	}
	row("RUN", "STARTED (UTC)", "COMMAND", "RESULT", "LINK", "CHANGED")
	for _, s := range runs {
		started := s.Began.UTC().Format("2006-01-02 15:04")
		if s.Began.IsZero() {
			started = "unknown"
		}
		if len(s.Links) == 0 {
			row(s.ID, started, s.Run.Command, result(s), "", s.Problem)
		}
		for _, l := range s.Links {
			row(s.ID, started, s.Run.Command, string(l.Outcome()), linkName(l), changed(l))
		}
	}
	_ = t.Flush() // likewise
	return showAll(w, b.String())
}

// result is how a run ended.
func result(s journal.Story) string {
	if s.End == nil {
		return "not ended"
	}
	return fmt.Sprintf("%s, exit status %d", s.End.Result, s.End.Exit)
}

func linkName(l journal.LinkStory) string {
	return fmt.Sprintf("%s, %s → %s", l.Name, l.Client, l.HSM)
}

// changed lists the steps whose acts were begun, in their order.
func changed(l journal.LinkStory) string {
	var ids []string
	for _, s := range l.Steps {
		switch {
		case s.Begun.IsZero():
		case s.Status == orchestrator.Changed:
			ids = append(ids, s.ID)
		default:
			ids = append(ids, s.ID+" ("+s.State()+")")
		}
	}
	if len(ids) == 0 {
		return "nothing"
	}
	return strings.Join(ids, ", ")
}

// showRun is one run in full.
func showRun(s journal.Story) string {
	var b strings.Builder
	line := func(format string, args ...any) {
		b.WriteString(strings.TrimRight(printable(format, args...), " ") + "\n")
	}
	line("Run      %s", s.ID)
	ended := "not ended: it is still at work, or was killed"
	if s.End != nil {
		ended = "ended after " + s.Ended.Sub(s.Began).Round(time.Millisecond).String()
	}
	line("Started  %s UTC, %s", s.Began.UTC().Format(time.DateTime), ended)
	line("Command  ntl-setup %s", strings.Join(s.Run.Args, " "))
	line("Version  %s", s.Run.Version)
	line("Result   %s", result(s))
	line("Files    %s", s.Dir)
	if s.Problem != "" {
		line("Problem  the journal could not be read to its end: %s", s.Problem)
	}
	if s.Spoilt > 0 {
		line("Problem  %d lines of the journal are spoilt", s.Spoilt)
	}
	for _, l := range s.Links {
		b.WriteString("\n")
		line("%s (%s), %s: %s", linkName(l), l.ClientAddress, strings.Join(l.Partitions, ", "), l.Outcome())
		for _, step := range l.Steps {
			b.WriteString(printable("  %2d  %-18s  %-6s  ", step.N, step.ID, step.Host))
			line("%-12s  %s", step.State(), step.Reason)
			for _, c := range step.Changes {
				line("      %s: %s → %s", c.Field, c.Have, c.Want)
			}
		}
		if l.End != nil && l.End.Error != nil {
			line("  error: %s", l.End.Error.Message)
		}
		b.WriteString(undo(l))
	}
	return b.String()
}

// undo is what would undo the acts of a link.
func undo(l journal.LinkStory) string {
	acts := l.Undo()
	if len(acts) == 0 {
		return "\nThis run changed nothing here.\n"
	}
	var b strings.Builder
	b.WriteString("\nTo undo what it changed, in this order:\n")
	where := ""
	for _, u := range acts {
		if u.Step.Host != where {
			where = u.Step.Host
			b.WriteString("\n" + host(where, l) + "\n")
		}
		if u.Step.Status != orchestrator.Changed {
			b.WriteString(printable("    # %s: %s; look first whether it took place", u.Step.ID, u.Step.State()) + "\n")
		}
		for _, c := range u.Commands {
			b.WriteString("    " + transport.Printable(c) + "\n")
		}
	}
	b.WriteString("\nLook before you type: these bring back what was there before this run, so whatever was\n" +
		"added since to a file that is put back, or relies on what is deleted, is lost with it.\n" +
		"The appliance asks before it deletes, and wants the word proceed.\n")
	return b.String()
}

// host says where commands are to be typed.
func host(where string, l journal.LinkStory) string {
	if where == orchestrator.OnHSM {
		return printable("  on the HSM, %s, in lunash:", l.HSM)
	}
	return printable("  on the client, %s, in a shell:", l.Client)
}

// printable is a format whose texts cannot steer a terminal.
func printable(format string, args ...any) string {
	for i, arg := range args {
		switch v := arg.(type) {
		case string:
			args[i] = transport.Printable(v)
		case orchestrator.Result:
			args[i] = transport.Printable(string(v))
		}
	}
	return fmt.Sprintf(format, args...)
}
