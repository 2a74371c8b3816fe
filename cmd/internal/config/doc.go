// Package config turns what the user typed into a [Config]: typed, complete,
// and checked before anything is connected.
//
// It promises:
//   - every error is of class "config" (exit status 64), names the flag, and
//     comes with a hint where there is something to do;
//   - defaults that can be told from what was given are filled in: the client
//     address from an IP literal in --client, the HSM address from --hsm, the
//     name from the client address;
//   - whatever goes to the appliance is made of [A-Za-z0-9._:-] without a
//     leading "-", so that nothing needs quoting there;
//   - a password is a [Secret], which no way of formatting shows.
//
// It refuses to guess: a host name may be one of several addresses, so the
// client address is never looked up in the DNS; a --hsm that ~/.ssh/config maps
// to another host says nothing about what the client calls it. What this
// version cannot do is refused by name rather than ignored.
package config
