// Package bench measures what a run costs, beside the ways in which an admin
// would do the same by hand: `make bench` prints its tables.
//
// It promises figures of the built programs, on hosts of its own that real
// OpenSSH serves (package lab), through a proxy that delays (faults.Distance).
// Round trips are (time at 50 ms round trip − time at none) / 50 ms, so that
// what the machine itself takes is no part of them. Nothing is asserted about
// time: what may be asserted, counts, is asserted by the tests of the packages
// that the counts are about.
//
// It has no code outside its benchmarks, and refuses to listen or to connect
// anywhere but on loopback. As root it makes a user of this machine for the
// passwords, and removes it; as anybody else it measures against the servers in
// its own process, and says so.
package bench
