package transport

import (
	"context"
	"fmt"
	"io/fs"
	"time"
)

// ActionKind names one way of changing a machine.
type ActionKind string

// The ways of changing a client host: all there are.
const (
	ActRun     ActionKind = "run"     // run a tool to its end
	ActReplace ActionKind = "replace" // exchange a file's content
	ActCreate  ActionKind = "create"  // make a file that is not there yet
	ActBackup  ActionKind = "backup"  // copy a file beside itself
	ActMove    ActionKind = "move"    // rename, never over an existing file
	ActRemove  ActionKind = "remove"  // remove a file that this run made
	ActAbsent  ActionKind = "absent"  // change nothing; fail if the file is there
	ActChmod   ActionKind = "chmod"   // change permission bits
	ActMakeDir ActionKind = "mkdir"   // make a directory and its parents
	ActStart   ActionKind = "start"   // start a program that goes on
	ActStop    ActionKind = "stop"    // end a process
	ActBring   ActionKind = "bring"   // run a program that is brought along, and leave nothing
	ActLock    ActionKind = "lock"    // take a lock directory
	ActBeat    ActionKind = "beat"    // show that its holder is alive
	ActUnlock  ActionKind = "unlock"  // let it go
)

// LockHeld is the exit status of a lock that somebody else holds, and of a beat
// of a lock that is not held any more. The output is then the other's token, a
// line break and the other's text; empty while nobody has written one.
const LockHeld = 75

// Action is one change of a client host: a value, made by the constructors
// below, done by [Host.Do].
type Action struct {
	Kind ActionKind
	Path string
	To   string   // ActMove, ActBackup: the new name; ActLock, ActBeat, ActUnlock: the token
	Argv []string // ActRun, ActStart: program (whole path) and its words; ActBring: the words
	Old  []byte   // ActReplace: what the file must still hold; ActLock: see TakeOver
	Data []byte   // ActReplace, ActCreate: the new content; ActLock, ActBeat: the holder's text
	Mode fs.FileMode
	PID  int           // ActStop
	Wait time.Duration // ActStop: how long to wait for its end; ActLock: see Lock
	From string        // ActLock: the token of the holder to take it from
}

// Run runs a tool (its whole path first) to its end. The tool survives the
// loss of the connection: it is never cut in half by a dropped line. What it
// says goes to Output, standard output and error merged. Its exit status is no
// evidence and fails nothing (vtl's is 0 on errors); only a tool that could not
// be started (126, 127) fails the exchange.
func Run(argv ...string) Action { return Action{Kind: ActRun, Path: argv[0], Argv: argv} }

// Replace exchanges the content of an existing file: refused unless the file
// still holds old; owner, group and mode kept; a symbolic link followed and
// kept; by an atomic rename, or, where the file cannot be renamed over (a bind
// mount), in place once the new content lies complete beside it.
func Replace(path string, old, data []byte) Action {
	return Action{Kind: ActReplace, Path: path, Old: old, Data: data}
}

// Create makes a file that must not be there yet, all or nothing.
func Create(path string, data []byte, mode fs.FileMode) Action {
	return Action{Kind: ActCreate, Path: path, Data: data, Mode: mode}
}

// Backup copies a file, with owner, mode and times, to a name beside it.
// Nothing happens if the file is missing or the copy is there already.
func Backup(path, to string) Action { return Action{Kind: ActBackup, Path: path, To: to} }

// Move renames a file; refused if the new name is taken.
func Move(from, to string) Action { return Action{Kind: ActMove, Path: from, To: to} }

// Absent changes nothing, and fails if anything bears the name: the guard of
// what follows it in the same Do against what came there since the last look.
func Absent(path string) Action { return Action{Kind: ActAbsent, Path: path} }

// Remove removes one file; nothing happens if it is missing.
func Remove(path string) Action { return Action{Kind: ActRemove, Path: path} }

// Chmod sets the permission bits of a file.
func Chmod(path string, mode fs.FileMode) Action {
	return Action{Kind: ActChmod, Path: path, Mode: mode}
}

// MakeDir makes a directory and its parents, mode 0755 less the umask; nothing
// happens if it is there.
func MakeDir(path string) Action { return Action{Kind: ActMakeDir, Path: path} }

// Start starts a program that goes on after the connection has ended. Its
// three file descriptors are redirected, so that nothing waits for it.
func Start(argv ...string) Action { return Action{Kind: ActStart, Path: argv[0], Argv: argv} }

// Bring runs a program to its end that the machine does not have, and leaves
// nothing behind: its file bears a new name in /tmp, or in the directory beside
// where programs in /tmp may not be run, has mode 0700, and is gone before the
// program begins. packed is the program, gzipped and in base64. It is ended
// after 15 s. For Linux alone.
func Bring(beside string, packed []byte, words ...string) Action {
	return Action{Kind: ActBring, Path: beside, Data: packed, Argv: words}
}

// What stands around a program that is brought along in the script that carries
// it, so that a transcript can leave it out.
const (
	ProgramBegins = "# the program that is brought along begins"
	ProgramEnds   = "# the program that is brought along ends"
)

// Stop asks a process to end (SIGTERM) and waits for that. Refused if the
// process is not one of executable any more. There is no SIGKILL.
func Stop(pid int, executable string, wait time.Duration) Action {
	return Action{Kind: ActStop, PID: pid, Path: executable, Wait: wait}
}

// Lock takes the lock that the directory path is, which is made for it. token
// (letters and digits, unlike any other ever) names the holder, text tells
// people who that is. What a holder left behind that has not shown itself for
// expiry, by the machine's own clock, is cleared away. Otherwise it is refused
// with the status LockHeld while there is another holder; never are there two.
func Lock(path, token string, text []byte, expiry time.Duration) Action {
	return Action{Kind: ActLock, Path: path, To: token, Data: text, Wait: expiry}
}

// TakeOver is a Lock that first takes the lock from the holder of a token: if
// seen is nil in any case, else only while the holder's text is still that.
func TakeOver(lock Action, holder string, seen []byte) Action {
	lock.From, lock.Old = holder, seen
	return lock
}

// Beat shows that the holder of a lock is alive, with a new text. Refused with
// the status LockHeld if the token does not hold it any more.
func Beat(path, token string, text []byte) Action {
	return Action{Kind: ActBeat, Path: path, To: token, Data: text}
}

// Unlock lets a lock go; nothing happens if the token does not hold it.
func Unlock(path, token string) Action {
	return Action{Kind: ActUnlock, Path: path, To: token}
}

// Host is a client host: a Reader that can also be changed.
type Host interface {
	Reader
	// Do does the actions in their order, in one exchange, and stops at the
	// first that fails. It returns an Output for each that was started; the
	// error is an *ActionError when one of them failed, any other error means
	// that the exchange failed and the actions may or may not have happened.
	Do(ctx context.Context, actions ...Action) ([]Output, error)
}

// Follower is a Host that can look right behind what it did, in the same exchange.
type Follower interface {
	// DoAndLook does the actions as Do does, and then answers the queries as Look
	// does, also when an action has failed. The facts are nil when their answer did
	// not come, or could not be read: the error is about the actions alone, and the
	// next Look tells what is wrong.
	DoAndLook(ctx context.Context, actions []Action, queries []Query) ([]Output, Facts, error)
}

// DoAndLook is h's own DoAndLook; of a Host that has none it is Do, without facts.
func DoAndLook(ctx context.Context, h Host, actions []Action, queries []Query) ([]Output, Facts, error) {
	if f, ok := h.(Follower); ok && len(actions) > 0 && len(queries) > 0 {
		return f.DoAndLook(ctx, actions, queries)
	}
	outputs, err := h.Do(ctx, actions...)
	return outputs, nil, err
}

// ActionError says which action of a Do failed and in whose words.
type ActionError struct {
	Host   string
	Action Action
	Output Output
}

// Error names the machine, the act and the machine's own words.
func (e *ActionError) Error() string {
	return fmt.Sprintf("%s: %s %s failed (status %d): %s",
		e.Host, e.Action.Kind, e.Action.Path, e.Output.Status, Printable(firstWords(e.Output)))
}

// ErrorClass is "remote".
func (e *ActionError) ErrorClass() string { return string(ClassRemote) }

// ErrorHint has nothing to add to the machine's own words.
func (e *ActionError) ErrorHint() string { return "" }

// firstWords is the start of what a command said, standard error first.
func firstWords(o Output) string {
	const most = 300
	text := string(o.Stderr)
	if text == "" {
		text = string(o.Stdout)
	}
	if len(text) > most {
		text = text[:most] + "…"
	}
	return text
}
