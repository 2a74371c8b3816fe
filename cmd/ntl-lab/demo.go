package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"ntl-setup/fixtures/lab"

	"github.com/spf13/cobra"
)

// act is one call of ntl-setup and what is expected of it.
type act struct {
	title  string
	words  []string
	exit   int
	frozen bool // nothing in the world may change
}

// acts are the rehearsal.
func acts() []act {
	return []act{
		{"1. Look at both hosts and show what is missing. Nothing is changed.", []string{"plan"}, 2, true},
		{"2. Make the link.", []string{"apply", "-y"}, 0, false},
		{"3. Look again: everything holds.", []string{"plan"}, 0, true},
		{"4. Run it once more: there is nothing left to do.", []string{"apply", "-y"}, 0, true},
	}
}

// demoCommand drives ntl-setup through the acts.
func demoCommand() *cobra.Command {
	var flags siteFlags
	var program string
	cmd := &cobra.Command{
		Use: "demo", Short: "stand up the site and drive ntl-setup through plan, apply, plan, apply", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			s, err := flags.open()
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			d := demo{site: s, program: product(program), words: arguments(s, flags.openSSH),
				out: cmd.OutOrStdout(), errs: cmd.ErrOrStderr()}
			return d.run(cmd.Context())
		},
	}
	cmd.Flags().StringVar(&program, "ntl-setup", "", "the program to drive (default: beside this one, or on PATH)")
	flags.add(cmd)
	return cmd
}

// demo is a rehearsal at work.
type demo struct {
	site      *lab.Site
	program   string
	words     []string
	out, errs io.Writer
}

func (d demo) run(ctx context.Context) error {
	wrong := 0
	for _, a := range acts() {
		ok, err := d.play(ctx, a)
		if err != nil {
			return err
		}
		if !ok {
			wrong++
		}
	}
	if wrong > 0 {
		d.say("demo: %d of %d acts did not go as they should", wrong, len(acts()))
		return exitStatus(exitWrong)
	}
	d.say("demo: the link stands, proved by vtl verify, and a second run found nothing to do")
	return nil
}

// play is one act: the command line, the program's own output, the judgement.
func (d demo) play(ctx context.Context, a act) (bool, error) {
	before, err := d.site.WorldHash()
	if err != nil {
		return false, fmt.Errorf("look at the site: %w", err)
	}
	words := append(append([]string{}, a.words...), d.words...)
	d.say("%s\n\n$ %s\n", a.title, shown(d.program, words))
	cmd := exec.CommandContext(ctx, d.program, words...) //nolint:gosec // the program that the user named
	cmd.Stdout, cmd.Stderr = d.out, d.errs
	// A rehearsal leaves no journals among the user's own.
	state := filepath.Join(d.site.Dir, "state")
	cmd.Env = append(os.Environ(), "XDG_STATE_HOME="+state, "LocalAppData="+state)
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return false, fmt.Errorf("run ntl-setup: %w", err)
	}
	ok := cmd.ProcessState.ExitCode() == a.exit
	d.say("\n[exit status %d, %d was expected]\n", cmd.ProcessState.ExitCode(), a.exit)
	after, err := d.site.WorldHash()
	if err != nil {
		return false, fmt.Errorf("look at the site: %w", err)
	}
	if a.frozen && before != after {
		d.say("[something was changed on the hosts, and nothing should have been]\n")
		ok = false
	}
	return ok, nil
}

// say prints a paragraph; a closed output ends nothing.
func (d demo) say(format string, args ...any) { _, _ = fmt.Fprintf(d.out, format+"\n", args...) }
