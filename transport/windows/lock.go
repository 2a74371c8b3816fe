package windows

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"ntl-setup/transport"
)

// Locks. DIR is the lock; DIR/TOKEN is an entry: one that holds the lock or is
// about to find out; DIR/TOKEN/beat is who that is. A token is used once, ever.
//
// Two never hold it: whoever takes it makes an entry and only then lists all of
// them, holds the lock only if it found no other, and takes its entry back
// otherwise. An entry is removed by its name and only when it is empty, so that
// doing it twice or late harms nobody who came after.
//
// The age of an entry is not judged here, for no command tells it in a form that
// is the same everywhere. Whoever waits sees a dead holder by its text, which
// stays as it is, and takes the lock over by that text (transport.TakeOver).

// lockGone is what a guarded line prints whose lock is gone.
const lockGone = "the lock of ntl-setup is gone"

// guardOf is what the line of the next action asks first: after a beat, whether
// its holder still holds.
func guardOf(a transport.Action) string {
	if a.Kind != transport.ActBeat {
		return ""
	}
	return fail("not exist "+native(entry(a, a.To)+"/*"), lockGone, transport.LockHeld)
}

// entry is the directory of one holder.
func entry(a transport.Action, token string) string { return a.Path + "/" + token }

// checkTokens refuses what could be anything but the name of an entry.
func checkTokens(a transport.Action) error {
	const longest = 64
	strange := func(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9') }
	for _, token := range []string{a.To, a.From} {
		if token == "" && a.To != "" {
			continue
		}
		if token == "" || len(token) > longest || strings.ContainsFunc(token, strange) {
			return fmt.Errorf("%q is no token of a lock", token)
		}
	}
	return checkPath(entry(a, a.To) + "/beat")
}

// lock takes the lock, from a certain holder if that is said.
func (h *host) lock(ctx context.Context, a transport.Action) (transport.Output, error) {
	if a.From != "" {
		if err := h.evict(ctx, a); err != nil {
			return transport.Output{}, err
		}
	}
	dir, mine := native(a.Path), native(entry(a, a.To))
	inside := native(a.Path + "/*")
	up := a.Path[:strings.LastIndexByte(a.Path, '/')]
	out, err := h.do(ctx, fail("not exist "+native(up+"/*"), up+": no such directory", 1)+
		"mkdir "+dir+" >nul 2>nul&"+fail("not exist "+inside, a.Path+": cannot be made", 1)+"dir /b /a "+inside+" 2>nul&exit 0")
	if err != nil || out.Status != 0 {
		return out, err
	}
	if others := entries(string(out.Stdout)); len(others) > 0 {
		return h.held(ctx, a, others)
	}
	out, err = h.do(ctx, "mkdir "+mine+" 2>&1&(if errorlevel 1 exit 1)&exit 0")
	if err != nil {
		return out, err
	}
	if out.Status != 0 { // somebody let go in this moment, and DIR with it
		return h.held(ctx, a, nil)
	}
	return h.claim(ctx, a)
}

// claim finds out whether our entry is the only one, and signs it if so. Of
// several that came at the same moment the first by name gives the others time
// to take theirs back, lest all do.
func (h *host) claim(ctx context.Context, a transport.Action) (transport.Output, error) {
	const patience = 10
	why, err := h.write(ctx, entry(a, a.To)+"/beat", a.Data)
	if err != nil {
		return transport.Output{}, err
	}
	if why != nil {
		_, err := h.unlock(ctx, a)
		return refuse("%s: cannot be written: %v", a.Path, why), err
	}
	var all []string
	for range patience {
		out, err := h.do(ctx, "dir /b /a "+native(a.Path+"/*")+" 2>nul&exit 0")
		if err != nil {
			return out, err
		}
		all = entries(string(out.Stdout))
		if slices.Equal(all, []string{a.To}) {
			return transport.Output{}, nil
		}
		if len(all) == 0 || all[0] != a.To {
			break
		}
	}
	if out, err := h.unlock(ctx, a); err != nil || out.Status != 0 {
		return out, err
	}
	return h.held(ctx, a, slices.DeleteFunc(all, func(name string) bool { return name == a.To }))
}

// held is the answer that somebody else holds the lock: the first of them.
func (h *host) held(ctx context.Context, a transport.Action, others []string) (transport.Output, error) {
	out := transport.Output{Status: transport.LockHeld}
	if len(others) == 0 || checkPath(entry(a, others[0])+"/beat") != nil {
		return out, nil
	}
	text, _, err := h.read(ctx, entry(a, others[0])+"/beat") // without one it has not signed yet
	out.Stdout = append([]byte(others[0]+"\n"), text...)
	return out, err
}

// evict takes an entry away, if its text is still the one that was seen. It is
// set aside first and judged where it lies: a beat that comes in between is
// either among what is judged, or in the way of the removal.
func (h *host) evict(ctx context.Context, a transport.Action) error {
	dir := entry(a, a.From)
	beat, last := native(dir+"/beat"), native(dir+"/last")
	if _, err := h.run(ctx, "move /y "+beat+" "+last+" >nul 2>nul&exit 0"); err != nil {
		return err
	}
	seen, why, err := h.read(ctx, dir+"/last")
	if err != nil {
		return err
	}
	if why != nil && !errors.Is(why, fs.ErrNotExist) || why == nil && a.Old != nil && !bytes.Equal(seen, a.Old) {
		_, err := h.run(ctx, "ren "+last+` "beat" >nul 2>nul&exit 0`)
		return err
	}
	_, err = h.run(ctx, "del /f /q "+last+" >nul 2>nul&rmdir "+native(dir)+" >nul 2>nul&rmdir "+native(a.Path)+" >nul 2>nul&exit 0")
	return err
}

// beat writes the holder's text anew. It makes no entry: without one, writing
// fails, and the lock is somebody else's or nobody's.
func (h *host) beat(ctx context.Context, a transport.Action) (transport.Output, error) {
	why, err := h.write(ctx, entry(a, a.To)+"/beat", a.Data)
	switch {
	case err != nil, why == nil:
		return transport.Output{}, err
	case !errors.Is(why, fs.ErrNotExist):
		return refuse("%s: cannot be written: %v", a.Path, why), nil
	}
	out, err := h.do(ctx, "dir /b /a "+native(a.Path+"/*")+" 2>nul&exit 0")
	if err != nil {
		return out, err
	}
	return h.held(ctx, a, entries(string(out.Stdout)))
}

// unlock takes our entry away, and the lock if it was the last.
func (h *host) unlock(ctx context.Context, a transport.Action) (transport.Output, error) {
	dir := entry(a, a.To)
	mine := native(dir)
	return h.do(ctx, "(if exist "+native(dir+"/*")+" del /f /q "+native(dir+"/beat")+" "+native(dir+"/last")+" >nul 2>nul)&"+
		"rmdir "+mine+" >nul 2>nul&"+fail("exist "+native(dir+"/*"), a.Path+": cannot be removed", 1)+
		"rmdir "+native(a.Path)+" >nul 2>nul&exit 0")
}
