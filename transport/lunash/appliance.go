package lunash

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Client is a registered client as `client show` tells it.
type Client struct {
	Name string
	// Address is what it was registered by: an IP address, or a host name.
	Address string
	// ByHostname: Address came from a "Hostname:" line, not "IPAddress:".
	ByHostname bool
	Partitions []string // names of the assigned partitions, in the appliance's order
}

// Partition is a row of `partition list`.
type Partition struct {
	Serial string // decimal digits
	Name   string
}

// Digest is the certificate fingerprint that `client fingerprint` prints.
type Digest struct {
	// Algorithm is "MD5", "SHA-1" or "SHA-256", told by the length (16, 20, 32
	// bytes); empty for any other length or form: then it proves nothing.
	Algorithm string
	// Sum is the digest in lower-case hex without separators.
	Sum string
	// Text is what the appliance printed.
	Text string
}

// Matches reports whether the digest is that of a certificate's DER bytes;
// known is false when the digest is of a kind that cannot be compared.
func (d Digest) Matches(der []byte) (same, known bool) { return d.matches(der) }

// Registration is what `client register` is told.
type Registration struct {
	Name       string
	Address    string
	ByHostname bool // -hostname instead of -ip
}

// Reader asks an appliance. It has no method that changes anything.
type Reader interface {
	// Name is how the user wrote the appliance: "admin@10.0.0.2:22".
	Name() string
	// Clients are the names of `client list`, in its order.
	Clients(ctx context.Context) ([]string, error)
	// Client is `client show`; ErrNoSuchClient if there is none of that name.
	Client(ctx context.Context, name string) (Client, error)
	// Fingerprint is `client fingerprint`; ErrNoSuchClient as above.
	Fingerprint(ctx context.Context, name string) (Digest, error)
	// Partitions is `partition list`.
	Partitions(ctx context.Context) ([]Partition, error)
	// HostIPs is `client hostip show`. No public source shows its answer: one
	// of unknown form is an error of class protocol.
	HostIPs(ctx context.Context) ([]HostIP, error)
	// Fetch brings a file of the user's directory (64 KiB at most); a missing
	// one is fs.ErrNotExist. ErrNoCopying where files cannot be copied at all.
	Fetch(ctx context.Context, name string) ([]byte, error)
}

// Appliance is a Reader that can also be changed, in the few ways that the
// procedure needs.
type Appliance interface {
	Reader
	// Store puts a file into the user's directory, whole or not at all as far
	// as the appliance tells.
	Store(ctx context.Context, name string, data []byte) error
	// Register is `client register`.
	Register(ctx context.Context, r Registration) error
	// Assign is `client assignPartition`.
	Assign(ctx context.Context, client, partition string) error
	// MapHostIP is `client hostip map`: a client that is registered by host name
	// is taken from this IP address.
	MapHostIP(ctx context.Context, client, address string) error
	// Close ends the shell; the connection is the caller's.
	Close() error
}

// What an appliance's refusal means; found in a *ReplyError with errors.Is.
var (
	ErrNoSuchClient    = errors.New("no such client")
	ErrNoSuchPartition = errors.New("no such partition")
	// ErrClientExists: the name is registered already.
	ErrClientExists = errors.New("a client of that name is registered already")
	// ErrAddressTaken: another client is registered with the address.
	ErrAddressTaken = errors.New("a client with that address is registered already")
	// ErrNoCertificateFile: <address>.pem is not in the user's directory.
	ErrNoCertificateFile = errors.New("the client's certificate file is not on the appliance")
	// ErrAlreadyAssigned: the client has the partition already.
	ErrAlreadyAssigned = errors.New("the client has access to the partition already")
	// ErrAlreadyMapped: the client has a host name mapping already.
	ErrAlreadyMapped = errors.New("the client is mapped to an address already")
	// ErrNeedsLogin: the appliance wants `hsm login` first, which is never sent.
	ErrNeedsLogin = errors.New("the appliance wants an HSM login first")
	// ErrNotAllowed: the command is unknown to this user's role.
	ErrNotAllowed = errors.New("the command is not open to this user")
	// ErrNoCopying: neither SCP nor SFTP is open to this user. Fetch and Store.
	ErrNoCopying = errors.New("no way of copying files is open to this user")
	// ErrUnproven: no trailer, or no positive sentence; it may have happened.
	ErrUnproven = errors.New("the appliance did not confirm the command")
	// ErrQuestion: it asked something that was not expected; "quit" was answered.
	ErrQuestion = errors.New("the appliance asked an unexpected question")
)

// ReplyError is a command that the appliance refused or answered in a way that
// proves nothing. Text is the reply, stripped of control characters.
type ReplyError struct {
	Host    string
	Command string // the line that was sent
	Code    int    // of the trailer; -1 when there was none
	Text    string
	Kind    error // one of the sentinels above; nil when it fits none
}

// Error quotes the appliance.
func (e *ReplyError) Error() string {
	what := e.Text
	if what == "" && e.Kind != nil {
		what = e.Kind.Error()
	}
	if errors.Is(e.Kind, ErrNotAllowed) {
		return fmt.Sprintf("%s: this user lacks the right to `%s`; the appliance said: %s", e.Host, e.Right(), what)
	}
	return fmt.Sprintf("%s: '%s': %s", e.Host, e.Command, what)
}

// Right is the command without its options: what a role must have.
func (e *ReplyError) Right() string {
	right, _, _ := strings.Cut(e.Command, " -")
	return right
}

// Unwrap gives the kind.
func (e *ReplyError) Unwrap() error { return e.Kind }

// ErrorClass is "conflict" for a question that only a person may answer,
// "protocol" for an answer that proves nothing, else "remote".
func (e *ReplyError) ErrorClass() string {
	switch {
	case errors.Is(e.Kind, ErrQuestion):
		return "conflict"
	case errors.Is(e.Kind, ErrUnproven):
		return "protocol"
	}
	return "remote"
}

// ErrorHint says what to do about the kinds that have a remedy.
func (e *ReplyError) ErrorHint() string { return hintOf(e.Kind) }
