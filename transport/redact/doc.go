// Package redact takes secrets out of text that is about to be written down.
//
// It promises:
//   - no byte of a known secret is let through, in whatever pieces the text
//     arrives, also where secrets overlap: each run of such bytes becomes one
//     "[redacted]", which tells neither length nor number;
//   - a secret is also known in the forms that this program's wires give it:
//     octal escapes and quotes of a shell script, JSON, Go's %q;
//   - secrets may be added at any time, from any goroutine, and count for all
//     text that was not let through yet;
//   - a [Writer] keeps back only an end that may be the beginning of a secret,
//     so never more than the longest one has bytes;
//   - the empty secret is ignored: it is everywhere.
//
// A secret of less than 4 bytes is taken out only where it stands alone, with no
// ASCII letter or digit at either side. Taken out everywhere, "a" would make a
// log useless, and the holes would spell the secret; as a part of a longer word
// it is a coincidence, and tells nobody anything.
//
// It refuses to guess: encodings that no wire here uses (base64, upper case, a
// secret in two halves) are not looked for. Redaction is the second net; the
// first is that no secret is written anywhere.
package redact
