// Package nscli works on a NetScaler whose login shell is the NetScaler CLI, as
// that of nsroot is. The CLI starts programs by its command shell; so what is
// made here is the Host of package posix, with `shell sh` where else is sh.
//
// It promises:
//   - nothing but letters, digits, blanks and "/._-" in a command line: the
//     CLI's own parser, and the shell behind it, find nothing there that could
//     mean more. Names and contents travel in the script alone;
//   - that what the CLI adds (" Done", before and after, and blank lines) does
//     not matter: package posix reads what stands between marks of its own;
//   - that the exit status, which the CLI loses, is not asked for: a script
//     tells those of its actions itself;
//   - that no line can be mistaken for a process that is looked for. The CLI
//     shows its command line to ps; there stands `shell sh` and nothing else.
//
// Whether the CLI hands the standard input on to what it starts is found out at
// the beginning. Where it does not, each script goes to a file of a random name
// in /var/tmp, mode 0600, by SFTP or SCP, and removes that file before it does
// anything else. One of which the answer does not tell that is removed by a line
// of its own, and does not begin after that. Scripts hold no secret. Such a file
// is all that looking ever leaves, and only if the connection is lost between the
// two: the first script of a later run clears away those of this user that are
// older than an hour.
//
// It refuses a login whose command policy does not allow `shell`, and says so.
// Nothing else goes by SFTP or SCP: what a client host gets stands in the script
// that needs it.
package nscli
