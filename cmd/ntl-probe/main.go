package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"ntl-setup/transport"
	"ntl-setup/transport/probe"
)

// Exit statuses, as ntl-setup has them.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 64
	exitInterrupted = 130
)

// childWord is how the program starts itself to load a library. It is no
// command for people.
const childWord = "load-library-in-this-process"

const usage = `ntl-probe asks a PKCS#11 library which slots it has. It opens no session,
logs nobody in and changes nothing.

Usage:
  ntl-probe [--library FILE] [--timeout 20s] [-o text|json]

Flags:
      --library FILE       the library (default: LibUNIX64 in Chrystoki.conf, which is
                           in $ChrystokiConfigurationPath or /etc)
      --timeout DURATION   kill a library that takes longer (default 20s)
  -o, --output text|json   a table, or one line of JSON (default text)
  -h, --help               print this

Exit status: 0 every slot was asked, 1 the library failed, 64 wrong usage or no
library, 130 interrupted.
`

func main() {
	if len(os.Args) == 3 && os.Args[1] == childWord {
		os.Exit(load(os.Args[2]))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// options are what was typed.
type options struct {
	library string
	timeout time.Duration
	output  string
}

// run is the whole program but for the child.
func run(ctx context.Context, argv []string, getenv func(string) string, stdout, stderr io.Writer) int {
	o, err := parse(argv)
	switch {
	case errors.Is(err, flag.ErrHelp):
		_, _ = io.WriteString(stdout, usage) // a reader that left has read enough
		return exitOK
	case err != nil:
		_, _ = fmt.Fprintf(stderr, "ntl-probe: %v; ntl-probe --help lists the flags\n", err) // nowhere else to say it
		return exitUsage
	}
	d := answer(ctx, o, getenv)
	if o.output == "json" {
		err = json.NewEncoder(stdout).Encode(d)
	} else {
		err = show(d, stdout, stderr)
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "ntl-probe: writing the answer:", err) // nowhere else to say it
		return exitFailed
	}
	return d.Exit
}

// parse reads the flags.
func parse(argv []string) (options, error) {
	o := options{}
	fs := flag.NewFlagSet("ntl-probe", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.StringVar(&o.library, "library", "", "")
	fs.DurationVar(&o.timeout, "timeout", 20*time.Second, "")
	fs.StringVar(&o.output, "output", "text", "")
	fs.StringVar(&o.output, "o", "text", "")
	if err := fs.Parse(argv); err != nil {
		return o, err
	}
	switch {
	case fs.NArg() > 0:
		return o, fmt.Errorf("unexpected word %q", fs.Arg(0)) //nolint:err113 // for a person
	case o.output != "text" && o.output != "json":
		return o, fmt.Errorf("--output is text or json, not %q", o.output) //nolint:err113 // for a person
	case o.timeout <= 0:
		return o, fmt.Errorf("--timeout must be more than nothing, not %s", o.timeout) //nolint:err113 // for a person
	}
	return o, nil
}

// answer finds the library and asks it.
func answer(ctx context.Context, o options, getenv func(string) string) probe.Document {
	library := o.library
	if library == "" {
		named, err := configured(getenv)
		if err != nil {
			return unusable("", err)
		}
		library = named
	}
	// A name without a slash would be looked for in the loader's own places.
	library, err := filepath.Abs(library)
	if err != nil {
		return unusable(library, err)
	}
	switch info, err := os.Stat(library); {
	case err != nil:
		return unusable(library, err)
	case !info.Mode().IsRegular():
		return unusable(library, fmt.Errorf("%s is not a regular file", library)) //nolint:err113 // for a person
	}
	return ask(ctx, library, o.timeout)
}

// unusable is the answer when there is no library to ask.
func unusable(library string, err error) probe.Document {
	d := probe.Fail(library, transport.ClassConfig, "--library names the PKCS#11 library", "%v", err)
	d.Exit = exitUsage
	return d
}

// show prints an answer for people: slots to stdout, what went wrong to stderr.
func show(d probe.Document, stdout, stderr io.Writer) error {
	for _, note := range d.Notes {
		_, _ = fmt.Fprintln(stderr, "ntl-probe:", note) // nowhere else to say it
	}
	if d.Error != nil {
		line := "ntl-probe: " + d.Error.Message
		if d.Library != "" && !strings.Contains(d.Error.Message, d.Library) {
			line = "ntl-probe: " + d.Library + ": " + d.Error.Message
		}
		if d.Error.Hint != "" {
			line += "; " + d.Error.Hint
		}
		_, _ = fmt.Fprintln(stderr, line) // nowhere else to say it
		return nil
	}
	return table(stdout, d)
}
