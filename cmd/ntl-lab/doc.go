// Command ntl-lab stands up a whole site on this machine, a client host and a
// Luna appliance, and rehearses ntl-setup against it.
//
//	ntl-lab up      the site, until Ctrl-C, and the command lines to try
//	ntl-lab demo    the site, and ntl-setup driven through plan, apply, plan, apply
//
// It promises that nothing listens anywhere but on loopback, that everything it
// writes lies in one directory, and that nothing is left running. It refuses to
// be mistaken for an HSM: no keys, no PKCS#11.
//
// The site's vtl, safenet_gw and lunash are links to this program, which looks
// at the name that it was called by before anything else.
package main
