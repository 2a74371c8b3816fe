package transporttest

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"ntl-setup/transport"
)

// Do does the actions in memory.
func (h *FakeHost) Do(ctx context.Context, actions ...transport.Action) ([]transport.Output, error) {
	h.exchange.Lock()
	defer h.exchange.Unlock()
	for _, a := range actions {
		if problem := checkAction(a); problem != "" {
			return nil, transport.Errorf(transport.ClassConfig, h.name, "%s %s: %s", a.Kind, a.Path, problem)
		}
	}
	h.Exchanges++
	var outputs []transport.Output
	for _, a := range actions {
		if err := ctx.Err(); err != nil {
			return outputs, transport.Errorf(transport.ClassTimeout, h.name, "doing: %w", err)
		}
		if h.Before != nil {
			if err := h.Before(a); err != nil {
				return outputs, err
			}
		}
		h.Acts = append(h.Acts, a)
		out := h.act(a)
		if h.After != nil {
			if err := h.After(a); err != nil {
				return outputs, err
			}
		}
		outputs = append(outputs, out)
		if failed(a, out.Status) {
			return outputs, &transport.ActionError{Host: h.name, Action: a, Output: out}
		}
	}
	return outputs, nil
}

// failed reports whether an action counts as failed: a tool only if it could not
// be started.
func failed(a transport.Action, status int) bool {
	if a.Kind == transport.ActRun {
		return status == 126 || status == 127
	}
	return status != 0
}

// checkAction says why an action could not even be sent to a real Host.
func checkAction(a transport.Action) string {
	const largest = 1 << 20
	switch {
	case bytes.IndexByte(a.Data, 0) >= 0, bytes.IndexByte(a.Old, 0) >= 0:
		return "the content holds a NUL byte"
	case a.Kind != transport.ActBring && len(a.Data) > largest, len(a.Old) > largest:
		return transport.ErrTooLarge.Error()
	case a.Kind == transport.ActBackup, a.Kind == transport.ActMove:
		if problem := checkPath(a.To); problem != "" {
			return problem
		}
	}
	return checkPath(a.Path)
}

func (h *FakeHost) act(a transport.Action) transport.Output {
	switch a.Kind {
	case transport.ActRun:
		return h.run(a.Argv)
	case transport.ActReplace:
		return h.replace(a)
	case transport.ActCreate:
		return h.create(a)
	case transport.ActBackup:
		return h.backup(a)
	case transport.ActMove:
		return h.move(a)
	case transport.ActRemove:
		return h.remove(a.Path)
	case transport.ActAbsent:
		if h.taken(a.Path) {
			return refused("%s: is there now", a.Path)
		}
		return transport.Output{}
	case transport.ActChmod:
		return h.chmod(a.Path, a.Mode)
	case transport.ActMakeDir:
		return h.makeDir(a.Path)
	case transport.ActStart:
		return h.start(a.Argv)
	case transport.ActStop:
		return h.stop(a)
	case transport.ActBring:
		if h.Bring == nil {
			return transport.Output{Status: 127, Stdout: []byte("not found")}
		}
		text, status := h.Bring(a)
		return transport.Output{Stdout: []byte(text), Status: status}
	case transport.ActLock:
		return h.lock(a)
	case transport.ActBeat:
		return h.beat(a)
	case transport.ActUnlock:
		return h.unlock(a)
	}
	return refused("unknown action %s", a.Kind)
}

// refused is an action that was not done, in the words of a machine.
func refused(format string, args ...any) transport.Output {
	return transport.Output{Status: 1, Stdout: fmt.Appendf(nil, format, args...)}
}

func (h *FakeHost) run(argv []string) transport.Output {
	if f := h.find(argv[0]); f == nil || f.mode&0o111 == 0 {
		return transport.Output{Status: 127, Stdout: []byte(argv[0] + ": not found")}
	}
	text, status := h.tool(slices.Clone(argv))
	return transport.Output{Stdout: []byte(text), Status: status}
}

func (h *FakeHost) replace(a transport.Action) transport.Output {
	f := h.find(a.Path)
	if f == nil || !f.mode.IsRegular() {
		return refused("%s: no such file", a.Path)
	}
	if !bytes.Equal(f.data, a.Old) {
		return refused("%s: changed since it was looked at", a.Path)
	}
	f.data, f.changed = slices.Clone(a.Data), h.Clock
	return transport.Output{}
}

// taken reports whether anything bears the name, a link to nowhere included.
func (h *FakeHost) taken(name string) bool { return h.files[path.Clean(name)] != nil }

// room reports whether a file could be made under the name.
func (h *FakeHost) room(name string) bool {
	up := h.find(path.Dir(path.Clean(name)))
	return up != nil && up.mode.IsDir()
}

func (h *FakeHost) create(a transport.Action) transport.Output {
	if h.taken(a.Path) {
		return refused("%s: exists already", a.Path)
	}
	if !h.room(a.Path) {
		return refused("%s: no such directory", path.Dir(a.Path))
	}
	h.Put(a.Path, a.Data, a.Mode)
	return transport.Output{}
}

func (h *FakeHost) backup(a transport.Action) transport.Output {
	f := h.find(a.Path)
	if f == nil || h.taken(a.To) {
		return transport.Output{}
	}
	if !h.room(a.To) {
		return refused("%s: no such directory", path.Dir(a.To))
	}
	c := *f
	c.data = slices.Clone(f.data)
	h.files[path.Clean(a.To)] = &c
	return transport.Output{}
}

func (h *FakeHost) move(a transport.Action) transport.Output {
	f := h.files[path.Clean(a.Path)]
	switch {
	case f == nil:
		return refused("%s: no such file", a.Path)
	case f.mode.IsDir():
		return refused("%s: is a directory", a.Path)
	case h.taken(a.To):
		return refused("%s: exists already", a.To)
	case !h.room(a.To):
		return refused("%s: no such directory", path.Dir(a.To))
	}
	h.files[path.Clean(a.To)] = f
	delete(h.files, path.Clean(a.Path))
	return transport.Output{}
}

func (h *FakeHost) remove(name string) transport.Output {
	f := h.files[path.Clean(name)]
	if f != nil && f.mode.IsDir() {
		return refused("%s: is a directory", name)
	}
	delete(h.files, path.Clean(name))
	return transport.Output{}
}

func (h *FakeHost) chmod(name string, mode fs.FileMode) transport.Output {
	f := h.find(name)
	if f == nil {
		return refused("%s: no such file", name)
	}
	f.mode = f.mode&fs.ModeType | mode&^fs.ModeType
	return transport.Output{}
}

func (h *FakeHost) makeDir(name string) transport.Output {
	for up := path.Clean(name); up != "/"; up = path.Dir(up) {
		if f := h.find(up); h.taken(up) && (f == nil || !f.mode.IsDir()) {
			return refused("%s: not a directory", up)
		}
	}
	h.Dir(h.resolve(name), 0o755)
	return transport.Output{}
}

func (h *FakeHost) start(argv []string) transport.Output {
	if f := h.find(argv[0]); f == nil || f.mode&0o111 == 0 {
		return transport.Output{Status: 127, Stdout: []byte(argv[0] + ": not found")}
	}
	if h.Start == nil {
		h.Launch(argv[0], "")
	} else {
		h.Start(slices.Clone(argv))
	}
	return transport.Output{}
}

func (h *FakeHost) stop(a transport.Action) transport.Output {
	at := slices.IndexFunc(h.Running, func(p FakeProcess) bool {
		return p.PID == a.PID && p.Executable == a.Path
	})
	if at < 0 {
		return refused("process %d is not one of %s", a.PID, a.Path)
	}
	if h.Stop != nil && !h.Stop(h.Running[at]) {
		return refused("process %d still runs", a.PID)
	}
	h.Running = slices.Delete(h.Running, at, at+1)
	return transport.Output{}
}
