// Package scp speaks the legacy SCP protocol, the client's side of it, over
// anything that can be read and written: the far side runs `scp -f name` (it
// sends) or `scp -t name` (it takes). Luna appliances before 7.9 have no other
// way to move a file.
//
// It promises:
//   - an answer is read at each of the moments at which the protocol has one
//     (the sink's greeting, the header, the end of the data), so that "no space
//     left" after the last byte is an error and not a success;
//   - the far side's own words in a [RemoteError], and a missing file as
//     fs.ErrNotExist;
//   - nothing sent before the sink's greeting; a file of up to 16 KiB that no far
//     side could take for a message follows its header without waiting, any
//     other when the header was taken;
//   - a far side that does not speak SCP at all (a restricted shell that prints
//     a banner, a missing program) as [ErrNotSCP] before anything was stored,
//     so that the caller can try SFTP;
//   - a bound on every length that the far side announces or implies.
//
// It refuses directories, names that could leave the directory or need quoting,
// sizes beyond the caller's limit, and any header that OpenSSH would refuse.
//
// It knows no clock: a read that must not last for ever is ended by closing
// what it reads from. It does not close or half-close the stream either; a
// caller of [Send] ends its input afterwards and looks at the exit status.
package scp
