package steps

import (
	"fmt"
	"sort"
	"strings"

	"ntl-setup/steps/chrystoki"
	"ntl-setup/transport"
)

// restoration is what the two copies of Chrystoki.conf on a NetScaler say
// together. /etc is on a RAM disk: after a reboot its copy may be the factory's
// again, or missing, while the persisted one still has the links.
type restoration struct {
	lost []string // entries of identity that only the persisted copy has
	own  []string // entries of identity that only the copy in use has; with lost: a conflict
}

// needed: the persisted copy must be put back before anything else.
func (r restoration) needed() bool { return len(r.lost) > 0 && len(r.own) == 0 }

// conflicting: both copies have entries of their own.
func (r restoration) conflicting() bool { return len(r.lost) > 0 && len(r.own) > 0 }

// compareCopies decides which copy has what the other lacks. Only entries of
// identity count: the servers, the client pair (if it exists), HA groups. Other
// values (time-outs, paths) are a matter of taste that persist-config settles.
func compareCopies(inUse, persisted confCopy, facts transport.Facts) restoration {
	if !persisted.present {
		return restoration{}
	}
	saved := identityEntries(persisted.file, facts)
	if !inUse.present {
		return restoration{lost: append(missingFrom(nil, saved), persisted.path)}
	}
	used := identityEntries(inUse.file, facts)
	return restoration{lost: missingFrom(used, saved), own: missingFrom(saved, used)}
}

// identityEntries are the entries that make a client who it is.
func identityEntries(f *chrystoki.File, facts transport.Facts) map[string]string {
	entries := map[string]string{}
	for _, s := range f.Servers() {
		entries["server "+s.Name] = present
	}
	if named := namedPair(f); named.exists(facts) {
		entries["client certificate"] = named.cert
		entries["client key"] = named.key
	}
	for _, e := range f.Entries() {
		switch strings.ToLower(e.Section) {
		case "virtualtoken", "hasynchronize":
			entries[e.Section+" "+e.Key] = e.Value
		case "chrystoki2", "luna": // without them no application loads the library
			entries["section "+strings.ToLower(e.Section)] = present
		}
	}
	return entries
}

// present is the value of an entry that counts by being there.
const present = ""

// missingFrom lists what theirs has and ours lacks or has otherwise, sorted.
func missingFrom(ours, theirs map[string]string) []string {
	var missing []string
	for name, value := range theirs {
		if have, ok := ours[name]; !ok || have != value {
			entry := name
			if value != present {
				entry = fmt.Sprintf("%s %s", name, value)
			}
			missing = append(missing, transport.Printable(entry))
		}
	}
	sort.Strings(missing)
	return missing
}

// confCopy reads one copy of Chrystoki.conf out of the facts. One that does not
// round-trip is refused: what is not understood is not edited.
func (e *eyes) confCopy(facts transport.Facts, path string) (confCopy, error) {
	c := confCopy{path: path}
	fact := facts[transport.File(path)]
	if fact.Problem != "" {
		return c, transport.Errorf(transport.ClassRemote, e.host.Name(), "%s: %s", path, transport.Printable(fact.Problem))
	}
	if c.present = !fact.Missing; !c.present {
		return c, nil
	}
	parse := chrystoki.Parse
	if strings.HasSuffix(path, ".ini") {
		parse = chrystoki.ParseINI
	}
	file, err := parse(fact.Data)
	if err != nil {
		return c, conflict{
			reason: fmt.Sprintf("%s: %s is not understood, so it is not touched: %v", e.host.Name(), path, err),
			hint:   "mend that line by hand and run again",
		}
	}
	c.raw, c.file = fact.Data, file
	return c, checkPaths(e.host.Name(), c)
}
