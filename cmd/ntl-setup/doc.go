// Command ntl-setup makes a Network Trust Link between a client host and a Luna
// network HSM, or tells what is missing from one.
//
// How to read it: root.go (the commands and the exit status), one file per
// command, flags.go (the flags), run.go (one run, from checked configuration to
// exit status), link.go (one link: connect, look, apply).
//
// It promises, beside what the packages below it promise:
//   - nothing is connected to before everything that was typed is known to be
//     right, and, for an apply that will ask, before there is a terminal to ask
//     on;
//   - the first Ctrl-C ends the run in order: at once while it only looks, after
//     the step at work has been confirmed once it acts; the second ends it at
//     once;
//   - with -o json, one document on standard output whatever the outcome, also
//     for a flag that does not exist.
package main
