package transporttest

import (
	"bytes"
	"io/fs"
	"path"
	"time"

	"ntl-setup/transport"
)

// now is the machine's time for locks.
func (h *FakeHost) now() time.Time {
	if h.Now != nil {
		return h.Now()
	}
	return h.Clock
}

// lock takes a lock. Its entries are directories with a file, as on a real host.
func (h *FakeHost) lock(a transport.Action) transport.Output {
	dir := path.Clean(a.Path)
	if f := h.find(dir); f != nil && !f.mode.IsDir() || !h.room(dir) {
		return refused("%s: no such directory", a.Path)
	}
	for _, token := range h.names(dir) {
		beat := h.files[path.Join(dir, token, "beat")]
		dead := beat != nil && h.now().Sub(beat.changed) > a.Wait
		meant := token == a.From && (a.Old == nil || beat != nil && bytes.Equal(beat.data, a.Old))
		if dead || meant {
			h.dropEntry(dir, token)
		}
	}
	if others := h.names(dir); len(others) > 0 {
		return h.lockHeld(dir, others[0])
	}
	h.Dir(path.Join(dir, a.To), 0o755)
	h.sign(dir, a)
	return transport.Output{}
}

// beat is a sign of life of a holder.
func (h *FakeHost) beat(a transport.Action) transport.Output {
	dir := path.Clean(a.Path)
	if !h.taken(path.Join(dir, a.To)) {
		if others := h.names(dir); len(others) > 0 {
			return h.lockHeld(dir, others[0])
		}
		return transport.Output{Status: transport.LockHeld}
	}
	h.sign(dir, a)
	return transport.Output{}
}

func (h *FakeHost) sign(dir string, a transport.Action) {
	h.files[path.Join(dir, a.To, "beat")] = &fakeFile{
		data: bytes.Clone(a.Data), mode: fs.FileMode(0o644), owner: "0", group: "0", changed: h.now(),
	}
}

// unlock lets a lock go.
func (h *FakeHost) unlock(a transport.Action) transport.Output {
	h.dropEntry(path.Clean(a.Path), a.To)
	return transport.Output{}
}

// dropEntry takes an entry away, and the lock with the last one.
func (h *FakeHost) dropEntry(dir, token string) {
	delete(h.files, path.Join(dir, token, "beat"))
	delete(h.files, path.Join(dir, token))
	if len(h.names(dir)) == 0 {
		delete(h.files, dir)
	}
}

// lockHeld is the refusal that names a holder.
func (h *FakeHost) lockHeld(dir, token string) transport.Output {
	said := token + "\n"
	if f := h.files[path.Join(dir, token, "beat")]; f != nil {
		said += string(f.data)
	}
	return transport.Output{Status: transport.LockHeld, Stdout: []byte(said)}
}
