// Package transport says how the rest of the program speaks to machines: as
// values that describe what is to be read or done, and small interfaces that
// the subpackages implement.
//
// A client host is read with a [Query] and changed with an [Action]. Both are
// data made by constructors of this package alone, so the list of everything
// the program can ever do to a client host is short and stands in two files:
// query.go (reads, never writes) and action.go (writes). A step that was given
// only a [Reader] has no way to change anything; the compiler holds that.
//
// It promises:
//   - one exchange for any number of queries or actions: a round trip is what a
//     slow link makes one pay for;
//   - results as bytes, exactly as the machine had them. They are data from a
//     stranger: [Printable] strips what could steer a terminal, and is for the
//     view to call, not for the reader;
//   - errors that say whose turn it is: every [Error] carries a class of the
//     command line's contract, and a hint.
//
// It refuses to carry a private key off a client host: [Key] yields the key's
// mode, its header and its public half, and there is no query for the rest
// ([File] of a path that ends in Key.pem is refused).
//
// Subpackages: ssh (dialling, host keys, exec, SFTP), scp (the legacy copy
// protocol), posix (queries and actions as scripts for sh), nscli (the same
// through the NetScaler's CLI), shells (which of them answers), sudo (root's
// rights for a user who has too few), lunash (the
// appliance's interactive shell), transporttest (fakes and contract tests).
package transport
