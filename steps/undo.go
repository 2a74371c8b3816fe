package steps

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"ntl-setup/transport"
)

// This file says how the acts of the steps would be undone, for the journal: in
// the words of a POSIX shell for the client, in those of lunash for the HSM.
// Nothing in the program runs them. Files are put back from the copies that the
// acts make first, because that is exact; `vtl deleteServer` edits, and what it
// leaves behind no public source tells. Directories that were made stay: they
// do no harm, and others may use them since.

// backupOf is the copy of a file that this run makes before it changes it.
func backupOf(link Link, file string) string {
	dir := path.Dir(file)
	if link.shelter.from == dir {
		dir = link.shelter.to
	}
	return path.Join(dir, path.Base(file)+".ntl-setup-"+link.Stamp)
}

// undoCertificate undoes step 1, the last of its acts first.
func undoCertificate(link Link, c *clientFacts) []string {
	var undo []string
	p := c.pair
	create := !p.usable() && p.trouble == ""
	if create {
		undo = append(undo, shellLine("rm", p.certPath, p.keyPath))
		if p.orphan {
			undo = append(undo, shellLine("mv", asideName(link, p), p.keyPath))
		}
	}
	if create || c.restore.needed() {
		undo = append(undo, undoFile(link, c.conf.path, c.conf.present))
	}
	if link.FixModes {
		for _, m := range slices.Backward(p.loose) {
			undo = append(undo, shellLine("chmod", fmt.Sprintf("%04o", m.have.Perm()), m.path))
		}
	}
	return undo
}

// undoDelivery undoes step 2. What lay there before under that name is gone; it
// was no certificate of this client's.
func undoDelivery(link Link) []string { return []string{"my file delete " + link.certificateFile()} }

// undo undoes step 3.
func (s serverTrust) undo(link Link) []string {
	if len(s.changes(link)) == 0 {
		return nil // what was cleared away served nobody
	}
	c, t := s.client, s.client.trust
	copyPath := c.layout.ServerCert(link.HSMAddress)
	bundle := undoFile(link, t.path, t.present)
	if !c.lists(link.HSMAddress) {
		return []string{shellLine("rm", copyPath), bundle, undoFile(link, c.conf.path, c.conf.present)}
	}
	var undo []string
	if own := s.copied(link); own != nil && !own.Equal(s.now) {
		undo = append(undo, undoFile(link, copyPath, true))
	}
	return append(undo, bundle)
}

// undoRegistration undoes step 5. lunash asks before it deletes, and wants
// `proceed`.
func undoRegistration(link Link, have entry) []string {
	var undo []string
	if have.mapped.missing() {
		undo = append(undo, "client hostip unmap -client "+link.Name+" -ip "+link.MapHostIP)
	}
	if !have.listed {
		undo = append(undo, "client delete -client "+link.Name)
	}
	return undo
}

// undoAssignment undoes step 7, the last partition first.
func undoAssignment(link Link, have, want grants) []string {
	var undo []string
	for _, p := range slices.Backward(have.without(want)) {
		undo = append(undo, "client revokePartition -client "+link.Name+" -partition "+p)
	}
	return undo
}

// undoConf undoes steps 8 and 9: one copy of the configuration.
func undoConf(link Link, c confCopy) []string { return []string{undoFile(link, c.path, c.present)} }

// undoGateway undoes step 10. One that ran before is to run again, and with the
// files as they were: that is the last thing to do.
func undoGateway(c *clientFacts) []string {
	stop := shellLine("pkill", "-x", path.Base(c.layout.Gateway))
	if len(c.gateways) == 0 {
		return []string{stop}
	}
	return []string{"# safenet_gw ran before; when everything else is undone, restart it: " +
		stop + "; " + shellLine("/bin/sh", c.layout.StartGateway)}
}

// undoFile puts a file back as it was before this run, or takes it away.
func undoFile(link Link, path string, present bool) string {
	if present {
		return shellLine("cp", "-p", backupOf(link, path), path)
	}
	return shellLine("rm", path)
}

// shellLine is a command line for a person to paste into a POSIX shell. Paths
// may come from a configuration file, so each word is quoted unless it needs
// none; one that could not be shown as it is makes the line a remark.
func shellLine(words ...string) string {
	if slices.ContainsFunc(words, hasDrive) {
		return cmdLine(words)
	}
	line := ""
	for _, w := range words {
		if w == "" || strings.ContainsFunc(w, special) {
			w = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		line += " " + w
	}
	line = line[1:]
	if transport.Printable(line) != line {
		return "# by hand, for a name cannot be shown: " + transport.Printable(line)
	}
	return line
}

// special reports whether a character may mean something to a shell.
func special(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._:/@%+=,-", r))
}
