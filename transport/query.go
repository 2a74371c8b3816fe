package transport

import (
	"context"
	"io/fs"
	"strconv"
	"strings"
	"time"
)

// QueryKind names one way of looking.
type QueryKind string

// The ways of looking. None of them changes anything on the machine.
const (
	QuerySystem    QueryKind = "system"    // uname, the environment's configuration path, the clock
	QueryFile      QueryKind = "file"      // a file's content and mode
	QueryDir       QueryKind = "dir"       // the names in a directory
	QueryStat      QueryKind = "stat"      // what bears a name, but not what is in it
	QueryKey       QueryKind = "key"       // what may be known of a private key
	QueryAddresses QueryKind = "addresses" // the addresses of the interfaces
	QueryProcesses QueryKind = "processes" // processes of one executable, and files newer than them
	QueryVtl       QueryKind = "vtl"       // a vtl word that only reads
	QueryHolders   QueryKind = "holders"   // programs that have a library loaded
	QueryRoute     QueryKind = "route"     // the address that it would use towards another
	QueryReach     QueryKind = "reach"     // a TCP port, by the tools that it has
	QueryProgram   QueryKind = "program"   // where a program is
	QueryProbe     QueryKind = "probe"     // what ntl-probe says of a PKCS#11 library
)

// Query is one question to a client host: a value, comparable, made by the
// constructors below. Its fields are exported for the packages that put it on
// a wire; nothing else should make one by hand.
type Query struct {
	Kind QueryKind
	Path string // the file, directory or executable asked about
	Args string // further words, newline-separated (comparable, unlike a slice)
}

// ArgList is Args as a list.
func (q Query) ArgList() []string {
	if q.Args == "" {
		return nil
	}
	return strings.Split(q.Args, "\n")
}

// System asks for the operating system's name, the user that looks, the value of
// ChrystokiConfigurationPath, and the clock.
func System() Query { return Query{Kind: QuerySystem} }

// File asks for a file's content (symbolic links followed, 1 MiB at most),
// mode and owner.
func File(path string) Query { return Query{Kind: QueryFile, Path: path} }

// Stat asks whether anything bears a name, its mode and owner, and where to it
// points if it is a symbolic link. What is in it is not read.
func Stat(path string) Query { return Query{Kind: QueryStat, Path: path} }

// Dir asks for the names in a directory.
func Dir(path string) Query { return Query{Kind: QueryDir, Path: path} }

// Key asks what may be known of a private key: is it there, its mode and
// owner, its first line, its public half. The key itself stays where it is.
func Key(path string) Query { return Query{Kind: QueryKey, Path: path} }

// Addresses asks for the IP addresses of the machine's interfaces.
func Addresses() Query { return Query{Kind: QueryAddresses} }

// Processes asks for the running processes of one executable (its whole path),
// and for each which of the files changed at least two seconds after it
// started. Two seconds, because ps rounds a start down by up to that much.
func Processes(executable string, files ...string) Query {
	return Query{Kind: QueryProcesses, Path: executable, Args: strings.Join(files, "\n")}
}

// Route asks by which of its own addresses the machine would reach another
// (an IP address, or a name that it resolves itself).
func Route(to string) Query { return Query{Kind: QueryRoute, Args: to} }

// Reach asks whether the machine gets through to a TCP port, by its own tools,
// and what certificate is shown there. It opens one connection, and gives up
// after so many whole seconds.
func Reach(host string, port int, wait time.Duration) Query {
	return Query{Kind: QueryReach, Args: strings.Join([]string{host, strconv.Itoa(port), strconv.Itoa(int(wait.Seconds()))}, "\n")}
}

// Holders asks for the running programs that have a library loaded, by its file
// name: it may be loaded by links, and what a program holds goes by where they
// lead. vtl itself is left out: it ends by itself. Only root sees all of them;
// for others, and where there is no /proc, Problem says so.
func Holders(library string) Query { return Query{Kind: QueryHolders, Args: library} }

// VtlListServers asks vtl (its whole path) for the registered servers.
func VtlListServers(vtl string) Query { return Query{Kind: QueryVtl, Path: vtl, Args: "listServers"} }

// VtlVerify asks vtl (its whole path) for the partitions that it can reach. It
// opens connections to the servers, so it may take as long as their time-outs.
func VtlVerify(vtl string) Query { return Query{Kind: QueryVtl, Path: vtl, Args: "verify"} }

// Program asks where a program is: in one of the directories, or else in the
// search path.
func Program(name string, dirs ...string) Query {
	return Query{Kind: QueryProgram, Path: dirs[0], Args: strings.Join(append([]string{name}, dirs...), "\n")}
}

// Probe asks ntl-probe (its whole path) for the slots of a PKCS#11 library, as
// JSON. That opens the library's connections to its servers and nothing else,
// and ends after 15 s at the latest.
func Probe(program, library string) Query {
	return Query{Kind: QueryProbe, Path: program, Args: strings.Join(ProbeWords(library), "\n")}
}

// ProbeWords are the words that ntl-probe is given.
func ProbeWords(library string) []string {
	return []string{"-o", "json", "--timeout", "10s", "--library", library}
}

// Reader looks at a machine. It has no method that changes anything.
type Reader interface {
	// Name is how the user wrote the machine.
	Name() string
	// Look answers all queries in one exchange. What a query found to be
	// missing or unreadable is part of its fact, not an error; an error means
	// that the exchange itself failed.
	Look(ctx context.Context, queries ...Query) (Facts, error)
}

// Facts are the answers of one Look, by query.
type Facts map[Query]Fact

// Fact is one answer. Which fields are set depends on the query's kind.
type Fact struct {
	// Missing: there is no such file, directory or program. Links are followed:
	// a link to nowhere is missing too.
	Missing bool
	// Problem is why the answer could not be had though the thing exists
	// (permission denied, too large), in the machine's own words; else empty.
	Problem string

	Data  []byte      // QueryFile: content; QueryVtl, QueryReach, QueryProbe: standard output and error, merged
	Mode  fs.FileMode // QueryFile, QueryKey, QueryDir: permission bits, setuid/setgid/sticky
	Owner string      // numeric user id
	Group string      // numeric group id
	Link  string      // the path itself is a symbolic link: what it points to
	// Unwritable (QueryFile, QueryKey, QueryDir, QueryStat): the user that looks may not
	// write to it, by its mode or because the file system is read-only.
	Unwritable bool
	Directory  bool // QueryFile, QueryKey, QueryStat: it is a directory

	Names []string // QueryDir: entries without "." and ".."; QueryAddresses, QueryRoute: addresses

	Header string // QueryKey: the first line ("-----BEGIN RSA PRIVATE KEY-----")
	// Encrypted: the key carries an encryption header, so its public half
	// cannot be had without its passphrase.
	Encrypted bool
	// Damaged: the file can be read, and is not a private key: it has no PEM
	// header, or openssl cannot make anything of it though it is not encrypted.
	Damaged bool
	// Public is the key's public half as PEM (SubjectPublicKeyInfo), as the
	// machine's own openssl gives it; empty when it cannot (Problem says why).
	Public []byte

	System    string    // QuerySystem: uname -s ("FreeBSD", "Linux")
	Machine   string    // QuerySystem: uname -m ("x86_64", "aarch64")
	User      string    // QuerySystem: numeric user id of whoever looks; empty where there is none
	ConfigDir string    // QuerySystem: ChrystokiConfigurationPath; empty when unset
	Clock     time.Time // QuerySystem: the machine's clock

	Processes []Process // QueryProcesses; QueryHolders, with PID and Command (a name alone)

	Found string // QueryProgram: the program's whole path

	Tool    string // QueryReach: what was used: openssl, nc or bash; Missing: it has none of them
	Reached bool   // QueryReach: the connection came about
}

// Process is a running process.
type Process struct {
	PID     int
	Started string        // as ps prints it ("Sat Nov 21 18:20:36 2026"), local time of the machine
	Age     time.Duration // time since Started, whole seconds, two too many at worst
	Command string        // the command line
	Newer   []string      // the files of the query that changed after it started
}
