package vtl

import (
	"fmt"
	"strings"

	"ntl-setup/transport"
)

// maxCommonName is the longest common name of a certificate (X.520), and what
// the client's own openssl.cnf allows.
const maxCommonName = 64

// maxHostName is the longest DNS name.
const maxHostName = 253

// nameChars may stand in a name: what the appliance allows for clients too.
const nameChars = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-"

// CheckName refuses, with class config, what is not fit to be the name of a
// client or server in a command line and in a file name: anything outside of
// [A-Za-z0-9._:-], a leading '-', no letter or digit at all, more than 253
// characters.
func CheckName(name string) error {
	switch {
	case name == "":
		return transport.Errorf(transport.ClassConfig, "", "empty name")
	case len(name) > maxHostName:
		return transport.Errorf(transport.ClassConfig, "", "name of %d characters is longer than %d", len(name), maxHostName)
	case name[0] == '-' || strings.Trim(name, nameChars) != "" || strings.Trim(name, "._:-") == "":
		return transport.Errorf(transport.ClassConfig, "", "name %q is not fit for a command line", transport.Printable(name)).
			WithHint("letters, digits and . _ : - are allowed, a leading '-' is not")
	}
	return nil
}

// CreateCert is the command that makes the client pair with the common name cn.
// It overwrites a pair of that name without asking, and makes the configuration
// name the new one. bin is vtl's whole path, here and below.
func CreateCert(bin, cn string) ([]string, error) {
	if err := CheckName(cn); err != nil {
		return nil, err
	}
	if len(cn) > maxCommonName {
		return nil, transport.Errorf(transport.ClassConfig, "", "name %q is longer than the %d characters of a certificate's common name", cn, maxCommonName)
	}
	return argv(bin, "createCert", "-n", cn)
}

// AddServer is the command that makes the client trust a server by the
// certificate in certFile, a path on the client host. It only edits files and
// connects to nobody.
func AddServer(bin, name, certFile string) ([]string, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	return argv(bin, "addServer", "-n", name, "-c", certFile)
}

// DeleteServer is the command that makes the client forget a server. What it
// prints is not known from any public source, so there is no parser for it:
// look with listServers afterwards.
func DeleteServer(bin, name string) ([]string, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	return argv(bin, "deleteServer", "-n", name)
}

// argv is the command line, if its words can be words of one.
func argv(bin string, words ...string) ([]string, error) {
	if bin == "" || bin[0] == '-' {
		return nil, fmt.Errorf("%q is no path of vtl", bin)
	}
	for _, w := range append([]string{bin}, words...) {
		if w == "" || strings.ContainsAny(w, "\x00\r\n") {
			return nil, fmt.Errorf("%q cannot be a word of a command line", w)
		}
	}
	if last := words[len(words)-1]; last[0] == '-' {
		return nil, fmt.Errorf("%q would read as an option", last)
	}
	return append([]string{bin}, words...), nil
}
