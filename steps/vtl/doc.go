// Package vtl speaks the language of vtl, the command-line tool of a Luna
// client: command lines in, replies understood. It is pure and runs nothing.
//
// It promises:
//   - command lines as argv, made of names that were checked first
//     ([CheckName]);
//   - replies judged by what they say and never by an exit status: vtl exits
//     with 0 on errors as well;
//   - replies found by their shape in all layouts that clients from 5.x to 10.x
//     are known to print: with and without a banner, with blanks or TABs, CR LF
//     or LF, and with lines of others before them.
//
// It refuses to guess. A reply without the sentence or the table that belongs
// to it is an error of class protocol, and one in which vtl says "Error:" is of
// class remote with vtl's own words, made printable. A table is taken whole or
// not at all: a row that is not understood could be the one that matters.
package vtl
