// Package ui is everything that a person or a program sees of a run: the text
// view, the JSON document, the lines of events, the exit status, and questions
// on the terminal.
//
// It promises:
//   - results on standard output; plans that are about to be asked about,
//     progress, warnings and errors on standard error; questions on the
//     controlling terminal and nowhere else, so that pipes never answer them;
//   - with JSON, exactly one document on standard output, whatever the outcome;
//   - with Events, one JSON object a line on standard output as each thing
//     happens, each by one write, the last with that same document;
//   - text that came from a machine cannot steer the terminal: one-line texts
//     go through transport.Printable, file differences through [Block];
//   - colour and a moving progress line only on a terminal, and no colour where
//     NO_COLOR is set. What is said is the same without;
//   - a line is never cut: on a terminal, a reason that does not fit goes to
//     lines of its own below the step. A text of more than 4 KiB is: only a
//     machine that means ill says so much.
//
// It refuses to hold a secret: the answer to [Terminal.Secret] goes to the
// caller and is never shown, and no other text of this package is secret.
package ui
