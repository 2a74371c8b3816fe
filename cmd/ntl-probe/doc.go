// ntl-probe asks a PKCS#11 library which slots it has, and says so. It is the
// only program here that needs cgo, and it works on Linux.
//
//	ntl-probe [--library FILE] [--timeout 20s] [-o text|json]
//
// Without --library it asks the library that the Luna client's configuration
// names: LibUNIX64 in Chrystoki.conf, which is in /etc or where the environment's
// ChrystokiConfigurationPath says; where that is libcklog2, the library behind it.
//
// With -o json it prints one line, whose schema "ntl-probe/1" is the page of
// package transport/probe. Exit status: 0 every slot was asked, 1 the library
// cannot be loaded, refused, crashed or took too long, 64 wrong usage or no
// library, 130 interrupted.
//
// It promises:
//   - it calls C_Initialize, C_GetInfo, C_GetSlotList, C_GetSlotInfo,
//     C_GetTokenInfo and C_Finalize and nothing else: no session is opened,
//     nobody is logged in, nothing is written;
//   - the library works in a child process of its own. One that crashes, ends
//     the process or hangs becomes a sentence that names the call it was in; at
//     the time limit the child is killed, with whatever it started;
//   - what the library prints goes nowhere.
//
// It refuses to guess a library: a file must be named or configured.
package main
