package chrystoki

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The three entries of a server, each followed by its number.
const (
	keyServerName = "ServerName"
	keyServerPort = "ServerPort"
	keyServerHtl  = "ServerHtl"
)

// maxServer is the highest number of a server: two digits are all that was ever
// seen.
const maxServer = 99

// Server is one HSM that the client trusts: ServerNameNN and its companions.
type Server struct {
	Index int    // NN
	Name  string // DNS name or address, never empty
	Port  int    // 0 when it is missing or no number; the client's default is 1792
	Htl   string // host trust link, usually "0"; empty when it is missing or empty
}

// Servers are the servers by their number. Numbers may be missing, and an entry
// with an empty name is none: vtl deleteServer may leave either.
func (f *File) Servers() []Server {
	var out []Server
	s := f.findSection(SectionClient)
	if s < 0 {
		return nil
	}
	for _, e := range f.entries[f.sections[s].first:f.sections[s].last] {
		kind, digits := serverKey(e.key)
		if kind != keyServerName || e.value == "" {
			continue
		}
		server := Server{Name: e.value}
		server.Index, _ = strconv.Atoi(digits) // at most three digits, see serverKey
		port, _ := f.Get(SectionClient, keyServerPort+digits)
		if n, err := strconv.ParseUint(port, 10, 16); err == nil {
			server.Port = int(n)
		}
		server.Htl, _ = f.Get(SectionClient, keyServerHtl+digits)
		out = append(out, server)
	}
	slices.SortStableFunc(out, func(a, b Server) int { return a.Index - b.Index })
	return out
}

// AddServer adds a server behind the others, with the number behind the highest
// one in use; a gap is not filled, as entries of a removed server may linger
// there. ServerHtlNN is written if the last server has one, or if there is no
// server yet. A server of that name that is there already, in whatever case, is
// left as it is, also with another port.
func (f *File) AddServer(name string, port int) error {
	if name == "" || strings.ContainsAny(name, blanks) {
		return fmt.Errorf("server name %q is empty or holds a blank", name)
	}
	if port < 1 || port > 65535 {
		return fmt.Errorf("server port %d is not from 1 to 65535", port)
	}
	servers := f.Servers()
	if slices.ContainsFunc(servers, func(s Server) bool { return sameFold(s.Name, name) }) {
		return nil
	}
	last, after := f.lastServer()
	number := last + 1
	if number > maxServer {
		return fmt.Errorf("no server number up to %d is free", maxServer)
	}
	adds := []Entry{
		{SectionClient, numbered(keyServerName, number), name},
		{SectionClient, numbered(keyServerPort, number), strconv.Itoa(port)},
	}
	if len(servers) == 0 || f.hasHtl(servers[len(servers)-1].Index) {
		adds = append(adds, Entry{SectionClient, numbered(keyServerHtl, number), "0"})
	}
	next, lead := f.Clone(), f.groupLead(last, after)
	for _, add := range adds {
		if err := next.addBehind(after, lead, add); err != nil {
			return err
		}
		after, lead = next.find(add.Section, add.Key), ""
	}
	*f = *next
	return nil
}

// numbered is the key of a server's entry.
func numbered(kind string, number int) string { return fmt.Sprintf("%s%02d", kind, number) }

// addBehind adds an entry behind the one with index after, or where Set would
// put it if that is -1.
func (f *File) addBehind(after int, lead string, add Entry) error {
	if after < 0 {
		return f.Set(add.Section, add.Key, add.Value)
	}
	if err := add.check(); err != nil {
		return err
	}
	return f.insert(f.findSection(add.Section), after, lead, add)
}

// lastServer is the highest server number in any of the three entries, and the
// last entry in the file that carries it; both -1 when there is none.
func (f *File) lastServer() (number, at int) {
	number, at = -1, -1
	s := f.findSection(SectionClient)
	if s < 0 {
		return number, at
	}
	for i := f.sections[s].first; i < f.sections[s].last; i++ {
		_, digits := serverKey(f.entries[i].key)
		if n, err := strconv.Atoi(digits); err == nil && n >= number {
			number, at = n, i
		}
	}
	return number, at
}

// hasHtl tells whether a server has a ServerHtl entry.
func (f *File) hasHtl(number int) bool {
	_, ok := f.Get(SectionClient, numbered(keyServerHtl, number))
	return ok
}

// groupLead is a blank line where the group of the last server has one before
// it, else empty.
func (f *File) groupLead(number, after int) string {
	first := f.find(SectionClient, numbered(keyServerName, number))
	if first < 0 {
		return ""
	}
	start := f.lineStart(f.entries[first].start)
	if start == 0 {
		return ""
	}
	before := f.text[f.lineStart(start-1):start]
	if strings.TrimSpace(before) != "" {
		return ""
	}
	return f.lineEnd(f.entries[after].end)
}

// serverKey splits a key like ServerName07 into its kind and its one to three
// digits; both empty when it is no such key.
func serverKey(key string) (kind, digits string) {
	for _, kind := range []string{keyServerName, keyServerPort, keyServerHtl} {
		if len(key) <= len(kind) || !sameFold(key[:len(kind)], kind) {
			continue
		}
		digits := key[len(kind):]
		if len(digits) <= 3 && strings.Trim(digits, "0123456789") == "" {
			return kind, digits
		}
	}
	return "", ""
}
