// Package transporttest has what tests of other packages need to do without a
// machine: [FakeHost], a client host in memory, and [TestHost], the contract
// that every implementation of transport.Host passes, the fake included. A fake
// that drifts from the real thing fails there.
//
// It promises:
//   - no clock, no network, no file of the real machine: a test over a FakeHost
//     is as fast as its own code and repeats exactly;
//   - a fault wherever a test wants one: before an act, after it, in the middle
//     of a list.
//
// It refuses to imitate tools. What vtl or a gateway does is told by the hooks
// that a test sets.
package transporttest
