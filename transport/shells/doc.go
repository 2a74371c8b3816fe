// Package shells finds out what answers on a client host, and gives the Host
// that speaks to it: sh where there is one, else one of a short list of other
// command lines. It is how a user need not say what he logs in to.
//
// It promises:
//   - no exchange more than without it where sh answers: the first one is tried
//     on sh as it is, and only an answer that no sh gives raises the question;
//   - that the first thing it does on a machine is a look, so that nothing is
//     changed by a script that something else than sh got to read;
//   - that one answer settles it for the life of the connection, and that no
//     answer (a lost line, a password over its time) settles nothing.
//
// It refuses to guess: what none of the list claims for its own is an error
// with the machine's own words in it. Another kind of shell is a package of its
// own with a [Detect], and one line in the list.
package shells
