package transport

import (
	"context"
	"io"
)

// Output is what a finished command left.
type Output struct {
	Stdout []byte
	Stderr []byte
	// Status is the exit status; -1 when the peer gave none (a signal, or a
	// connection that ended first). It is evidence, never proof: vtl exits 0 on
	// errors, and the NetScaler CLI loses the status altogether.
	Status int
}

// Runner starts command lines on one machine.
type Runner interface {
	// Name is how the user wrote the machine, with its port: "root@10.0.0.1:22".
	Name() string
	// Exec runs one command line in the login shell of the machine, feeds it
	// stdin, and waits for its end. The context ends it. A non-zero exit status
	// is no error; a lost or refused channel is (class connect or timeout).
	Exec(ctx context.Context, line string, stdin []byte) (Output, error)
}

// Stream is a command or a terminal that is at work: Read gives its standard
// output, Write feeds its standard input.
type Stream interface {
	io.Reader
	io.Writer
	// CloseWrite tells the far side that no more input comes.
	CloseWrite() error
	// Stderr is the first 4 KiB of standard error seen so far.
	Stderr() []byte
	// Wait waits for the end and returns the exit status (see Output.Status).
	// Call it after Read has returned io.EOF.
	Wait() (int, error)
	// Close ends the channel at once; it may be called at any time, also twice,
	// and unblocks Read, Write and Wait.
	Close() error
}

// Files is a file service on a connection (SFTP).
type Files interface {
	// ReadFile reads a whole file of at most limit bytes (ErrTooLarge beyond);
	// a missing one is fs.ErrNotExist.
	ReadFile(ctx context.Context, name string, limit int64) ([]byte, error)
	// WriteFile replaces the content of a file and checks the size that arrived.
	WriteFile(ctx context.Context, name string, data []byte) error
	Close() error
}

// Keeper is a file service that can make a file which nobody else may read.
type Keeper interface {
	// WriteNew makes a file of mode 0600, which must not be there yet, and checks
	// the size that arrived.
	WriteNew(ctx context.Context, name string, data []byte) error
}

// WriteNew is f's own WriteNew; of a service that has none it is WriteFile.
func WriteNew(ctx context.Context, f Files, name string, data []byte) error {
	if k, ok := f.(Keeper); ok {
		return k.WriteNew(ctx, name, data)
	}
	return f.WriteFile(ctx, name, data)
}

// Conn is one authenticated connection to one machine, with as many channels
// as the peer allows.
type Conn interface {
	Runner
	// Stream starts a command line without a terminal (scp -t, scp -f). Here, in
	// Terminal and in Files the context bounds the start alone; what was started
	// ends with its Close.
	Stream(ctx context.Context, line string) (Stream, error)
	// Terminal starts the login shell on a pseudo-terminal of that size, echo
	// asked off (a peer may echo all the same).
	Terminal(ctx context.Context, cols, rows int) (Stream, error)
	// Files opens the SFTP subsystem; ErrNoSFTP when the peer has none.
	Files(ctx context.Context) (Files, error)
	// Close ends the connection and everything on it.
	Close() error
}
