// Package sshconfig tells what OpenSSH's client configuration, ~/.ssh/config,
// says of one host, as far as it decides how the host is reached: HostName,
// Port, User, keys and agent, jump hosts, host keys, time-out, algorithms.
//
// It promises to read as `ssh -G` does: Host and Match blocks with their
// patterns and negations, Include with globs, quotes and comments, the first
// value of a keyword wins (IdentityFile and CertificateFile add up), tokens and
// ~ are replaced. A test compares the two on many files.
//
// It refuses to run anything: "Match exec" and ProxyCommand are not carried out,
// and blocks that hang on what is not known here (exec, canonical, final, and
// criteria of other versions) are not taken. Where that, or a line that is
// wrong, would have mattered for the host, a warning with file and line says so;
// nothing is ever a reason to give up. A file that others may write to is not
// taken at all, as with ssh.
package sshconfig
