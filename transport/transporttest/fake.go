package transporttest

import (
	"io/fs"
	"path"
	"slices"
	"sync"
	"time"

	"ntl-setup/transport"
)

// FakeProcess is a process that runs on a FakeHost.
type FakeProcess struct {
	PID        int
	Executable string    // the whole path
	Command    string    // the command line; empty: the executable alone
	Started    time.Time // by the clock of the FakeHost
}

// FakeHost is a client host in memory; it implements transport.Host. Make one
// with [NewHost]. Set the exported fields before it is used, or in a hook.
// Exchanges are serialised, so two goroutines may share it; the hooks run
// within an exchange and may call every method but Look and Do.
type FakeHost struct {
	// System, ConfigDir and Clock answer transport.System. The clock stands
	// still unless Advance moves it; files get their time from it.
	System    string
	ConfigDir string
	Clock     time.Time
	// Now is the time by which locks expire; nil: Clock.
	Now func() time.Time
	// Addresses answers transport.Addresses.
	Addresses []string
	// Sources answers transport.Route.
	Sources []string
	// Port answers transport.Reach.
	Port transport.Fact
	// Running answers transport.Processes.
	Running []FakeProcess
	// User is the numeric user id that transport.System tells.
	User string
	// Holders answers transport.Holders, whatever the library.
	Holders []transport.Process
	// Unwritable are paths that the user may not write to; only told, not enforced.
	Unwritable map[string]bool
	// Machine is the architecture that transport.System tells.
	Machine string
	// Bring runs programs that are brought along; nil: they cannot be started.
	Bring func(a transport.Action) (output string, status int)
	// Problems makes a path unreadable: path to the machine's words.
	Problems map[string]string

	// Vtl is what any tool does that is run or asked: argv in, merged output and
	// exit status out. The tool must be there as an executable file. nil: no
	// output, status 0.
	Vtl func(h *FakeHost, argv []string) (string, int)
	// Start is what starting a program does; nil: a process of argv[0] appears
	// in Running.
	Start func(argv []string)
	// Stop is what SIGTERM does to a process of Running: true ends it. nil: true.
	Stop func(p FakeProcess) bool
	// Before is asked before an action: an error ends the exchange there, as if
	// the line had dropped before the deed. After is the same after the deed.
	Before func(transport.Action) error
	After  func(transport.Action) error

	// Acts are the actions that were begun, in order, over all exchanges.
	Acts []transport.Action
	// Looked are the queries of each look: one entry each.
	Looked [][]transport.Query
	// Exchanges counts them all: looks, acts, and acts with a look behind.
	Exchanges int

	name     string
	exchange sync.Mutex
	files    map[string]*fakeFile
	lastPID  int
}

// fakeFile is a file, a directory or a symbolic link.
type fakeFile struct {
	data         []byte
	mode         fs.FileMode // type bits included
	owner, group string
	changed      time.Time
	link         string
}

// NewHost makes an empty Linux machine with one address of the documentation
// range.
func NewHost(name string) *FakeHost {
	h := &FakeHost{
		System:    "Linux",
		Clock:     time.Date(2026, time.March, 2, 9, 30, 0, 0, time.UTC),
		Addresses: []string{"127.0.0.1", "192.0.2.10"},
		Problems:  map[string]string{},
		User:      "0",
		name:      name,
		files:     map[string]*fakeFile{},
		lastPID:   100,
	}
	h.Dir("/", 0o755)
	return h
}

// Name is how the user wrote the machine.
func (h *FakeHost) Name() string { return h.name }

// Put makes or overwrites a file, with the directories above it. The owner is
// root; a symbolic link of that name is followed.
func (h *FakeHost) Put(name string, data []byte, mode fs.FileMode) {
	name = h.resolve(name)
	f := h.files[name]
	if f == nil {
		h.Dir(path.Dir(name), 0o755)
		f = &fakeFile{owner: "0", group: "0"}
		h.files[name] = f
	}
	f.data, f.mode, f.changed, f.link = slices.Clone(data), mode, h.Clock, ""
}

// Dir makes a directory, with the directories above it.
func (h *FakeHost) Dir(name string, mode fs.FileMode) {
	name = path.Clean(name)
	if h.files[name] != nil {
		return
	}
	if up := path.Dir(name); up != name {
		h.Dir(up, 0o755)
	}
	h.files[name] = &fakeFile{mode: fs.ModeDir | mode, owner: "0", group: "0", changed: h.Clock}
}

// Link makes a symbolic link; target may be relative and may be missing.
func (h *FakeHost) Link(name, target string) {
	h.Dir(path.Dir(name), 0o755)
	h.files[path.Clean(name)] = &fakeFile{
		mode: fs.ModeSymlink | 0o777, owner: "0", group: "0", changed: h.Clock, link: target,
	}
}

// Own gives a file to a numeric user and group.
func (h *FakeHost) Own(name, owner, group string) {
	if f := h.files[h.resolve(name)]; f != nil {
		f.owner, f.group = owner, group
	}
}

// Get reads a file; ok is false when there is none of that name.
func (h *FakeHost) Get(name string) (data []byte, ok bool) {
	f := h.files[h.resolve(name)]
	if f == nil || !f.mode.IsRegular() {
		return nil, false
	}
	return slices.Clone(f.data), true
}

// Mode is the mode of a file or directory, links followed; 0 when there is none.
func (h *FakeHost) Mode(name string) fs.FileMode {
	if f := h.files[h.resolve(name)]; f != nil {
		return f.mode
	}
	return 0
}

// Delete takes a file, link or directory away, as another person would.
func (h *FakeHost) Delete(name string) { delete(h.files, path.Clean(name)) }

// Files are the names of all files and links, sorted, directories left out.
func (h *FakeHost) Files() []string {
	var names []string
	for name, f := range h.files {
		if !f.mode.IsDir() {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Advance moves the clock.
func (h *FakeHost) Advance(d time.Duration) { h.Clock = h.Clock.Add(d) }

// Launch adds a process of an executable, started now, and returns its number.
func (h *FakeHost) Launch(executable, command string) int {
	h.lastPID++
	h.Running = append(h.Running, FakeProcess{
		PID: h.lastPID, Executable: executable, Command: command, Started: h.Clock,
	})
	return h.lastPID
}

// resolve follows symbolic links of the last element; a loop ends where the
// budget does, at a link that leads nowhere.
func (h *FakeHost) resolve(name string) string {
	name = path.Clean(name)
	for range 16 {
		f := h.files[name]
		if f == nil || f.link == "" {
			break
		}
		if path.IsAbs(f.link) {
			name = path.Clean(f.link)
		} else {
			name = path.Join(path.Dir(name), f.link)
		}
	}
	return name
}

// find is the file or directory that a name leads to, nil for none.
func (h *FakeHost) find(name string) *fakeFile {
	f := h.files[h.resolve(name)]
	if f != nil && f.link != "" {
		return nil
	}
	return f
}

var (
	_ transport.Host     = (*FakeHost)(nil)
	_ transport.Follower = (*FakeHost)(nil)
)
