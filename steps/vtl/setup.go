package vtl

import (
	"strings"

	"ntl-setup/transport"
)

// Pair is where createCert wrote the client pair: paths on the client host.
type Pair struct{ Key, Cert string }

// ParseCreateCert reads the reply of createCert. Both files must be named, each
// once.
func ParseCreateCert(out []byte) (Pair, error) {
	all := lines(out)
	var keys, certs []string
	for _, line := range all {
		if path, ok := after(line, "Private Key created and written to:"); ok {
			keys = append(keys, path)
		}
		if path, ok := after(line, "Certificate created and written to:"); ok {
			certs = append(certs, path)
		}
	}
	if len(keys) != 1 || len(certs) != 1 || keys[0] == "" || certs[0] == "" || said(all) != "" {
		return Pair{}, notUnderstood("createCert", all, "it names no pair of key and certificate")
	}
	return Pair{Key: keys[0], Cert: certs[0]}, nil
}

// Outcome is what addServer found.
type Outcome string

// The outcomes of addServer.
const (
	// Added: the server is in the list now.
	Added Outcome = "added"
	// AlreadyRegistered: a server of that name was in the list before, and the
	// certificate that is trusted for it is still the one it had.
	AlreadyRegistered Outcome = "already registered"
)

// ParseAddServer reads the reply of addServer for a server. A success that
// names another server is an error.
func ParseAddServer(out []byte, name string) (Outcome, error) {
	all := lines(out)
	added, already := false, false
	for _, line := range all {
		rest, ok := after(line, "New server ")
		if ok {
			got, sentence, _ := strings.Cut(rest, " ")
			if !strings.EqualFold(got, name) || !strings.EqualFold(strings.TrimSpace(sentence), "successfully added to server list.") {
				return "", transport.Errorf(transport.ClassProtocol, "", "vtl addServer %s answered for something else: %s", name, transport.Printable(line))
			}
			added = true
		}
		// The only public source for this sentence matches its beginning, so
		// what surrounds it is not known; an "Error:" before it is possible.
		if strings.Contains(strings.ToLower(line), "this server is already registered") {
			already = true
		}
	}
	switch {
	case already && !added:
		return AlreadyRegistered, nil
	case added && !already && said(all) == "":
		return Added, nil
	}
	return "", notUnderstood("addServer", all, "neither added nor already registered")
}
