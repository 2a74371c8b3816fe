// Package steps is the published twelve-step procedure for a Network Trust
// Link, as steps of the engine. [Site.All] is the visible list; each step is
// one file, and beside them stand the readers that they share.
//
// How to read it: steps.go (the list), link.go (what is wanted), layout.go
// (where things are), eyes.go and hands.go (what a step may look with and act
// with), then the twelve files in their order.
//
// It promises:
//   - a step looks through [eyes] alone, which hold readers that cannot change
//     anything; only an act gets [hands];
//   - each host is read in as few exchanges as can be, and what was read is
//     remembered until something acts on that host;
//   - the client's identity is sacred: a certificate pair that exists is never
//     made again, and the pair that Chrystoki.conf names is never exchanged;
//   - what is on disk before the first change is backed up beside itself;
//   - vtl and lunash are judged by what they say and by what is there
//     afterwards, never by an exit status.
//
// It refuses to choose for a person: another certificate under a name, another
// name for an address, two configurations with entries of their own, a running
// gateway that is out of date are conflicts, each naming what was found and the
// flag or command that decides.
//
// To add a step: one new file with a function like the twelve, one line in All.
package steps
