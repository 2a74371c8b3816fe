// Package sudo runs the command lines of a client host with root's rights, for
// a user whose own are not enough. It stands between a connection and whoever
// sends lines over it, and until it is asked to, it changes nothing about them.
//
// It promises:
//   - a host where root logs in, or a user who needs no more, sees no exchange
//     and no word of it;
//   - sudo is first asked without a password (sudo -n), so that nobody is asked
//     for one that is not needed;
//   - a password is offered once, alone, with nothing behind it: a sudo that
//     asks again finds the end of its input and gives up, and what was refused
//     is not offered again in the run. Accepted, it opens each later exchange;
//   - the password goes over standard input, never into words of a command or an
//     environment. Where sudo does not read it after all (another rule, a fresh
//     ticket), nobody else does: what runs first drops whatever comes before the
//     random mark of that exchange, and only what stands behind it is the input
//     of the line;
//   - the variable ChrystokiConfigurationPath of the session is carried over,
//     which sudo would strip; nothing else of the environment is;
//   - why sudo gives no rights is said in one line and with what to do: not in
//     the sudoers file, a terminal wanted, a password wanted, no sudo at all.
//
// It refuses passwords with a line break or a NUL byte, and it never uses the
// tickets that sudo keeps for a while (sudo -k): what works now works until the
// run ends, and no ticket is left behind.
package sudo
