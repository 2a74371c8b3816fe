// Package posix reads and changes a client host through one POSIX shell: every
// Look and every Do is one script, fed to `sh` on its standard input, so that
// the user's login shell (csh and fish too) sees nothing but the word sh.
//
// It promises:
//   - one exchange, whatever the number of queries or actions;
//   - scripts of what FreeBSD 8.4 (a NetScaler's userland) and GNU/Linux share;
//   - a script is parsed whole before its first command runs: a line that drops
//     while it is sent runs nothing, one that drops while it runs does not stop
//     the action in progress, and the next action is not begun;
//   - bytes arrive as they are: content with carriage returns, without a final
//     newline, or that looks like the protocol of another exchange. Each answer
//     stands between marks that bear a random word of that exchange; what a
//     login shell prints before the first mark is ignored;
//   - a file is exchanged only while it still holds what the caller saw, whole
//     or not at all, with owner, group, mode and symbolic link kept;
//   - a program that is brought along has no name any more when it begins, so
//     that nothing of it is left, whatever ends the shell (Linux alone).
//
// It refuses:
//   - to read a private key: by its name (...Key.pem), or by what stands in the
//     file, whatever its name. Of a key it brings the PEM header and the public
//     half that the machine's own openssl makes;
//   - relative paths, and paths with a line break or a NUL byte;
//   - content with a NUL byte, and files of more than 1 MiB.
//
// The exit status of a tool that is run is told in its Output and fails nothing,
// unless it could not be started (126, 127); any other action that ends with a
// status fails the Do (*transport.ActionError). Outputs come along also with an
// error, for every action that ended.
//
// On a [Resident] machine, once sh has answered, one shell stays for the scripts
// that follow, each in a subshell of its own; while it is at work, or gone, an
// exchange has a session of its own as before.
package posix
