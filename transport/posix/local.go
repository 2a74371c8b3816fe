package posix

import "ntl-setup/transport"

// localLimit bounds what a local command may print, in bytes.
const localLimit = 16 << 20

// local runs commands on this machine.
type local struct {
	name   string
	hidden []string
}

// Local is this machine as a Runner: lines go to /bin/sh, without the variables
// NTL_SETUP_… of the environment, which may hold passwords. Each command has a
// process group of its own, so that a Ctrl-C on the terminal does not reach it;
// when the context ends it is hung up on (SIGHUP), as a dropped connection
// would, so that an action in progress goes on to its end. hidden are further
// variables that hold passwords.
func Local(name string, hidden ...string) transport.Runner { return local{name, hidden} }

// Name is what the user calls this machine.
func (l local) Name() string { return l.name }
