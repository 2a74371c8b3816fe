// Package ssh is transport.Conn over one SSH connection.
//
// It promises:
//   - a host key is checked before anything about the user is sent: against a
//     pin, else against known_hosts, else (only when it was asked for) it is
//     written there as new. A changed or revoked key is refused whatever was
//     asked for. A host certificate counts by the authority that known_hosts has
//     for the host: its signature, the name that it is for, its time, and that
//     neither of its keys is revoked;
//   - keys are offered a few at a time, over as many connections as that takes,
//     so that no server's limit is met and a password still has its attempt;
//   - a passphrase is asked for once a server would take the key, once for each
//     file, whatever the number of connections; a key that an agent holds needs
//     none. An agent that hangs or lies holds up nothing: each question to it has
//     a deadline;
//   - a jump host is dialled like any other machine, with its own host key check
//     and its own login, and errors name it; it gets nobody else's password;
//   - a [Password] is fetched only when a server wants one, and one that was
//     refused is never offered again: not by the other method, not on another
//     connection;
//   - the context ends every wait. Dialling has a bound of its own for each of
//     its stages, in which the time that a person needs to type does not count;
//   - a peer that has died is noticed within two keep-alive periods;
//   - errors are *transport.Error with the class and the hint that a person
//     needs: what was dialled, what the other side offers, which key it showed;
//   - no goroutine outlives Close.
//
// It refuses: to go on without a host key check, to answer a question that is
// not plainly "password?", to type a new password, and algorithms with known
// weaknesses unless Options.Legacy is set, which only ever adds to the list.
// Without it, RSA keys sign with SHA-2 alone, those of an agent too, and an
// authority that signs with SHA-1 has not signed.
//
// x/crypto/ssh has no contexts. While dialling, the context closes the network
// connection, which unblocks everything. On an established connection other
// work may be under way, so there a call that outlasts its context is left
// behind and its channel closed; it ends at the latest with the connection.
//
// A remote process is not killed when its context ends: its channel is closed,
// and that is all that a dropped line would have done to it.
package ssh
