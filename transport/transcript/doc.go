// Package transcript writes down what goes over a wire, as evidence for people.
//
// A [Log] is one file (mode 0600) about one machine. Its lines are
//
//	2026-03-02T09:30:00.123Z terminal-2 < Command Result : 0 (Success)
//
// with the time in UTC, the channel, what it is ($ started, > sent, < received,
// ! standard error, = what came of it, ~ a remark of the log's own) and the text;
// a + beside the sign says that the line before went on there.
//
// It promises:
//   - the run does not notice: what is wrapped behaves as it did, and a log that
//     cannot be written any more stops, and nothing else;
//   - secrets are taken out before anything is written, also where they arrive in
//     pieces (see package redact);
//   - the file is bounded, and says so where it ends;
//   - it can be shown on a terminal: control characters, invalid UTF-8 and what
//     reorders or hides text are written as escapes, \x1b or \u202e;
//   - what is sent is on the file before it is on the wire;
//   - a machine that says too much costs no more than the bound: what comes goes
//     to the file in pieces, and nothing is worked on once the file is full.
//
// The functions that a script begins with are told once. Where they are sent
// again, one line tells which channel was sent them first.
//
// It refuses file contents that are no certificates: of an SFTP transfer it tells
// the name and the size. A private key never goes over a wire of this program.
//
// Writing is a plain write to a local file, neither buffered nor synced: what a
// killed run had said is there.
package transcript
