package steps

import "ntl-setup/transport"

// linux is a Linux host with the Luna client of its packages. It is whatever
// has sh and is nothing else, so it stands last.
func linux() clientKind {
	return clientKind{
		kind: Linux,
		is:   func(string, transport.Facts) bool { return true },
		places: func(root string) []Layout {
			return []Layout{
				unixLayout(Linux, root, "/usr/safenet/lunaclient"),
				unixLayout(Linux, root, "/usr/lunasa"),
				unixLayout(Linux, root, "/opt/safenet/lunaclient"),
			}
		},
		install: "install the Luna client there first (install.sh of the client package), or name the right host with --client",
	}
}
