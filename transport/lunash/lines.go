package lunash

// The lines that change an appliance, each written in one place: what is sent is
// what people are shown to type.

// RegisterLine is `client register`.
func RegisterLine(r Registration) Line {
	by := "-ip"
	if r.ByHostname {
		by = "-hostname"
	}
	return Cmd("client", "register").Flag("-client", r.Name).Flag(by, r.Address)
}

// AssignLine is `client assignPartition`.
func AssignLine(client, partition string) Line {
	return Cmd("client", "assignPartition").Flag("-client", client).Flag("-partition", partition)
}

// MapHostIPLine is `client hostip map`.
func MapHostIPLine(client, address string) Line {
	return Cmd("client", "hostip", "map").Flag("-client", client).Flag("-ip", address)
}

// FingerprintLine is `client fingerprint`, which only reads.
func FingerprintLine(client string) Line {
	return Cmd("client", "fingerprint").Flag("-client", client)
}

// CopiesBySFTP reports whether files were last copied to or from an appliance of
// this package by SFTP. Otherwise it was by SCP, as every release before 7.9
// wants it, or nothing was copied yet.
func CopiesBySFTP(r Reader) bool {
	switch a := r.(type) {
	case *appliance:
		a.files.mu.Lock()
		defer a.files.mu.Unlock()
		return a.files.worked == bySFTP
	case *shared:
		return CopiesBySFTP(a.Appliance)
	}
	return false
}
