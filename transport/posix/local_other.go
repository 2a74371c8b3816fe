//go:build !unix

package posix

import (
	"context"

	"ntl-setup/transport"
)

// Exec has no shell to run a line in.
func (l local) Exec(context.Context, string, []byte) (transport.Output, error) {
	return transport.Output{}, transport.Errorf(transport.ClassConfig, l.name, "this machine has no POSIX shell").
		WithHint("name the client as [user@]host")
}
