// Package lunash drives the appliance's restricted, interactive shell and reads
// its answers.
//
// It promises:
//   - one shell on a wide pseudo-terminal, one command at a time, a prompt seen
//     before every byte that is sent;
//   - the context as the only clock, a bounded amount of output per command, no
//     goroutine left behind;
//   - three proofs before a command counts as done: the positive sentence, a
//     "Command Result : 0" trailer, and no "Error:" line. A missing trailer is
//     ErrUnproven, which the caller settles by reading back. An answer to a
//     question that lacks it, where others have it, is asked for once more, and
//     two such are an error;
//   - answers parsed by their shape, not by the version that a banner claims;
//   - files by SCP or SFTP, whichever the appliance speaks.
//
// It refuses:
//   - words that are not made of [A-Za-z0-9._:-] or that begin with "-";
//   - to answer an unknown question with anything but "quit";
//   - to send "hsm login", "sysconf regenCert" or any deletion: there is no
//     function for them.
package lunash
