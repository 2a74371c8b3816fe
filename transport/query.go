package transport

import (
	"context"
	"io/fs"
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
	QueryKey       QueryKind = "key"       // what may be known of a private key
	QueryAddresses QueryKind = "addresses" // the addresses of the interfaces
	QueryProcesses QueryKind = "processes" // processes of one executable, and files newer than them
	QueryVtl       QueryKind = "vtl"       // a vtl word that only reads
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

// System asks for the operating system's name, the value of
// ChrystokiConfigurationPath, and the clock.
func System() Query { return Query{Kind: QuerySystem} }

// File asks for a file's content (symbolic links followed, 1 MiB at most),
// mode and owner.
func File(path string) Query { return Query{Kind: QueryFile, Path: path} }

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

// VtlListServers asks vtl (its whole path) for the registered servers.
func VtlListServers(vtl string) Query { return Query{Kind: QueryVtl, Path: vtl, Args: "listServers"} }

// VtlVerify asks vtl (its whole path) for the partitions that it can reach. It
// opens connections to the servers, so it may take as long as their time-outs.
func VtlVerify(vtl string) Query { return Query{Kind: QueryVtl, Path: vtl, Args: "verify"} }

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

	Data  []byte      // QueryFile: content; QueryVtl: standard output and error, merged
	Mode  fs.FileMode // QueryFile, QueryKey, QueryDir: permission bits, setuid/setgid/sticky
	Owner string      // numeric user id
	Group string      // numeric group id
	Link  string      // the path itself is a symbolic link: what it points to

	Names []string // QueryDir: entries without "." and ".."; QueryAddresses: addresses

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
	ConfigDir string    // QuerySystem: ChrystokiConfigurationPath; empty when unset
	Clock     time.Time // QuerySystem: the machine's clock

	Processes []Process // QueryProcesses
}

// Process is a running process.
type Process struct {
	PID     int
	Started string        // as ps prints it ("Sat Nov 21 18:20:36 2026"), local time of the machine
	Age     time.Duration // time since Started, whole seconds, two too many at worst
	Command string        // the command line
	Newer   []string      // the files of the query that changed after it started
}
