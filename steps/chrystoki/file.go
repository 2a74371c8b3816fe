package chrystoki

import "strings"

// The names that a network trust link needs, as vtl and the installers write
// them.
const (
	SectionClient = "LunaSA Client" // the links: client pair, trusted servers
	KeyClientCert = "ClientCertFile"
	KeyClientKey  = "ClientPrivKeyFile"
	KeyServerCA   = "ServerCAFile" // the bundle of trusted server certificates
	KeyNetClient  = "NetClient"    // 1: network HSMs are used
)

// sectionLabels is the section whose keys are labels of HA groups, chosen by
// people: two of them may differ in case alone.
const sectionLabels = "HASynchronize"

// File is a configuration. Its zero value is an empty one. It is not for
// concurrent edits.
type File struct {
	// text is the whole file. All below are places in it, and it is never
	// changed in place, so that a clone can share everything.
	text     string
	sections []section
	entries  []entry
	ini      bool // the dialect of crystoki.ini
}

// section is the place of one section.
type section struct {
	name  string // without blanks around it
	start int    // where the name begins
	open  int    // the opening brace
	end   int    // the closing brace
	first int    // its entries are entries[first:last]
	last  int
}

// entry is the place of one entry.
type entry struct {
	section int // index of its section
	key     string
	value   string
	start   int // where the key begins
	equals  int // the equals sign
	val     int // where the value begins; at the semicolon when it is empty
	end     int // behind the semicolon
}

// Entry is one "Key = value;" of a section, as it is written, without the
// blanks around. A value may be a secret (AuthTokenClientSecret): it is not for
// showing as it is.
type Entry struct{ Section, Key, Value string }

// Parse reads a configuration. What it does not understand for certain is a
// *[SyntaxError].
func Parse(data []byte) (*File, error) { return parse(string(data)) }

// Bytes is the configuration as it is to be written: what was parsed, with the
// edits that were made.
func (f *File) Bytes() []byte { return []byte(f.text) }

// Clone is a copy that can be edited apart.
func (f *File) Clone() *File {
	c := *f
	return &c
}

// Entries are all entries in the order of the file.
func (f *File) Entries() []Entry {
	out := make([]Entry, len(f.entries))
	for i := range f.entries {
		e := &f.entries[i]
		out[i] = Entry{Section: f.sections[e.section].name, Key: e.key, Value: e.value}
	}
	return out
}

// Get is the value of an entry, without the blanks around it, and whether the
// entry is there; an entry may be there with an empty value. Of a crystoki.ini
// the paths of the link (client pair, bundle) come with slashes ("C:/a/b").
func (f *File) Get(section, key string) (string, bool) {
	i := f.find(section, key)
	if i < 0 {
		return "", false
	}
	if f.ini && isPath(section, key) {
		return strings.ReplaceAll(f.entries[i].value, `\`, "/"), true
	}
	return f.entries[i].value, true
}

// Identity is the client pair that the configuration names, either path empty
// when it names none. All links of the client hang on this one pair. A client
// that was just installed names a pair that does not exist.
func (f *File) Identity() (cert, key string) {
	cert, _ = f.Get(SectionClient, KeyClientCert)
	key, _ = f.Get(SectionClient, KeyClientKey)
	return cert, key
}

// find is the index of an entry, -1 when there is none.
func (f *File) find(section, key string) int {
	s := f.findSection(section)
	if s < 0 {
		return -1
	}
	same := sameFold
	if sameFold(f.sections[s].name, sectionLabels) {
		same = sameExactly
	}
	key = trim(key)
	for i := f.sections[s].first; i < f.sections[s].last; i++ {
		if same(f.entries[i].key, key) {
			return i
		}
	}
	return -1
}

// findSection is the index of a section, -1 when there is none.
func (f *File) findSection(name string) int {
	name = trim(name)
	for i := range f.sections {
		if sameFold(f.sections[i].name, name) {
			return i
		}
	}
	return -1
}

func sameExactly(a, b string) bool { return a == b }

// sameFold compares without regard to ASCII case. strings.EqualFold would hold
// all bytes that are no UTF-8 to be the same, and K to be the Kelvin sign.
func sameFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}

// blanks are what may stand around names and values.
const blanks = " \t"

func trim(s string) string { return strings.Trim(s, blanks) }
