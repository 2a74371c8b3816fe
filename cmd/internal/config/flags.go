package config

import (
	"os"
	"os/user"
	"runtime"
	"strings"
	"time"
)

// Flags are the command line as it was typed. The zero value of a field means
// that the flag was not given, but for the two time-outs, which the command line
// fills with [DefaultTimeout] and [DefaultStepTimeout].
type Flags struct {
	Client, HSM        string // [user@]host[:port]
	Name               string
	ClientAddress      string
	HSMAddress         string
	MapHostIP          string // the IP address of a client that is known by host name
	Partitions         []string
	ClientKind         string
	Rights             RightsFlags
	File               string
	FileText           []byte   // its content, if it is not to be read; nil: it is read
	Only, Skip         []string // patterns of links in File
	Links              []string // client/hsm of the links in File that a saved plan is about; nil: of all
	RetryFailed        string   // a report (-o json): only the links that it calls unsuccessful
	Parallel           int      // clients at work at the same time
	MaxFailures        int      // links that may fail before no other is begun; 0: any number
	DryRun, Yes        bool
	ReplaceServer      bool
	RestartGateway     bool
	FixModes           bool
	BreakLock          bool
	Deep               bool
	SkipPreflight      bool
	AnyPartition       bool // the command is about none, so that none need be named
	LegacySSH          bool
	ClientPasswordFile string
	HSMPasswordFile    string
	// A command line for the shell of this machine, whose first line of output is
	// the password; goes before a file and before the environment.
	ClientPasswordCommand string
	HSMPasswordCommand    string
	Identities            []string
	IdentityPassphrase    string // a file with the passphrase of encrypted keys
	ClientHostKey         string
	HSMHostKey            string
	HSMCertificate        string // SHA-256 of the appliance's NTLS certificate, in hex
	KnownHosts            string
	AcceptNewHostKeys     bool
	Output                string
	Timeout               time.Duration
	StepTimeout           time.Duration
	ClientRoot            string
}

// DefaultParallel is how many clients are worked on at the same time: an
// appliance takes one command after the other, and the rest is waiting.
const DefaultParallel = 16

// The time-outs where none is given.
const (
	DefaultTimeout     = 15 * time.Minute // the whole run
	DefaultStepTimeout = 2 * time.Minute  // one wait
)

// Env is what the user's session tells.
type Env struct {
	Getenv func(string) string
	// Home is the home directory; empty if there is none.
	Home string
	// User is the login name, for hosts that are given without one.
	User string
	// State is the directory for what runs leave behind; empty if there is none.
	State string
	// NoModes: files have no permission bits worth a warning (Windows).
	NoModes bool
}

// Session is the Env of this process.
func Session() Env {
	e := Env{Getenv: os.Getenv, NoModes: runtime.GOOS == "windows"}
	if home, err := os.UserHomeDir(); err == nil {
		e.Home = home
	}
	e.State = stateDir(os.Getenv, e.Home, runtime.GOOS)
	if u, err := user.Current(); err == nil {
		// Windows says DOMAIN\name.
		e.User = u.Username[strings.LastIndexByte(u.Username, '\\')+1:]
	}
	return e
}
