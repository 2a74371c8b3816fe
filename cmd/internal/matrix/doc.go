// Package matrix has no code but its tests: every step of the procedure, every
// fault, and the rerun after it.
//
// It promises, for each combination, that
//   - the run with the fault ends by itself, within a few minutes of its own
//     clock, established or with a failure of a class that the command line's
//     contract names, and never "internal";
//   - one plain run after it establishes the link: one certificate pair, one
//     registration, one assignment, one gateway, each made once;
//   - what belongs to others is untouched: other clients and their partitions,
//     another HSM's entries, other files, byte for byte;
//   - a third run does nothing;
//   - no question was answered with anything but "quit", and no secret was typed
//     where nobody expected to be asked.
//
// The fast part is played in memory under a clock of its own (testing/synctest):
// the real steps, engine, lunash driver and SCP, against the simulated appliance
// and a fake client host. The slow part is a sample over real sockets: SSH in
// this process and real OpenSSH, with a proxy between that cuts, and the built
// program killed at random moments.
//
// It refuses a combination whose fault never struck: that would be no test.
package matrix
