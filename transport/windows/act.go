package windows

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"

	"ntl-setup/transport"
)

// notFound is the status of a tool that is not there: what a POSIX shell gives,
// so that those who judge an Output need not know the machine's kind.
const notFound = 127

// Do does the actions in their order and stops at the first that fails.
func (h *host) Do(ctx context.Context, actions ...transport.Action) ([]transport.Output, error) {
	for _, a := range actions {
		if err := checkAction(a); err != nil {
			return nil, transport.Errorf(transport.ClassConfig, h.Name(), "%s %s: %w", a.Kind, a.Path, err)
		}
	}
	var outputs []transport.Output
	guard := ""
	for i, a := range actions {
		out, err := h.act(ctx, a, guard)
		if err != nil {
			return outputs, err
		}
		outputs = append(outputs, out)
		switch {
		case bytes.Contains(out.Stdout, []byte(lockGone)) && guard != "":
			out = transport.Output{Status: transport.LockHeld}
			return outputs, &transport.ActionError{Host: h.Name(), Action: actions[i-1], Output: out}
		case failed(a, out.Status):
			return outputs, &transport.ActionError{Host: h.Name(), Action: a, Output: out}
		}
		guard = guardOf(a)
	}
	return outputs, nil
}

// failed: a tool fails by its status only if it was not there; what else it is
// worth, its caller knows.
func failed(a transport.Action, status int) bool {
	if a.Kind == transport.ActRun {
		return status == notFound
	}
	return status != 0
}

// checkAction refuses what cannot be done here, before anything is.
func checkAction(a transport.Action) error {
	if err := checkPath(a.Path); err != nil {
		return err
	}
	if len(a.Data) > largestFile || len(a.Old) > largestFile {
		return fmt.Errorf("%w: more than %d bytes", transport.ErrTooLarge, largestFile)
	}
	switch a.Kind {
	case transport.ActRun:
		_, err := program(a.Argv)
		return err
	case transport.ActBackup, transport.ActMove:
		if err := checkPath(a.To); err != nil {
			return err
		}
		if path.Dir(a.To) != path.Dir(a.Path) {
			return errors.New("a file gets another name in its own directory only")
		}
	case transport.ActLock, transport.ActBeat, transport.ActUnlock:
		return checkTokens(a)
	case transport.ActReplace, transport.ActCreate:
		if bytes.IndexByte(a.Data, 0) >= 0 || bytes.IndexByte(a.Old, 0) >= 0 {
			return errors.New("the content holds a NUL byte")
		}
	case transport.ActRemove, transport.ActAbsent, transport.ActMakeDir:
	case transport.ActChmod, transport.ActStart, transport.ActStop:
		return errors.New("that is not done on Windows")
	default:
		return fmt.Errorf("unknown action %q", a.Kind)
	}
	return nil
}

// act does one action. guard is what its command line asks first.
func (h *host) act(ctx context.Context, a transport.Action, guard string) (transport.Output, error) {
	p := native(a.Path)
	switch a.Kind {
	case transport.ActRun:
		line, err := program(a.Argv)
		if err != nil {
			return transport.Output{}, err
		}
		return h.do(ctx, guard+fail("not exist "+p, a.Path+": not found", notFound)+line)
	case transport.ActReplace:
		return h.replace(ctx, a, guard)
	case transport.ActCreate:
		return h.create(ctx, a, guard)
	case transport.ActBackup:
		return h.backup(ctx, a, guard)
	case transport.ActMove:
		return h.do(ctx, guard+fail("not exist "+p, a.Path+": no such file", 1)+isDirectory(a.Path)+rename(a.Path, a.To))
	case transport.ActRemove:
		return h.do(ctx, guard+isDirectory(a.Path)+"(if exist "+p+" del /f /q "+p+" 2>&1)&"+fail("exist "+p, a.Path+": cannot be removed", 1)+"exit 0")
	case transport.ActAbsent:
		return h.do(ctx, guard+fail("exist "+p, a.Path+": is there now", 1)+"exit 0")
	case transport.ActMakeDir:
		inside := native(a.Path + "/*")
		return h.do(ctx, guard+"(if not exist "+inside+" mkdir "+p+" 2>&1)&"+fail("not exist "+inside, a.Path+": cannot be made", 1)+"exit 0")
	case transport.ActLock:
		return h.lock(ctx, a)
	case transport.ActBeat:
		return h.beat(ctx, a)
	case transport.ActUnlock:
		return h.unlock(ctx, a)
	default:
		return transport.Output{}, fmt.Errorf("unknown action %q", a.Kind)
	}
}

// do runs one line whose status tells; what it said on standard error is said.
func (h *host) do(ctx context.Context, line string) (transport.Output, error) {
	out, err := h.run(ctx, line)
	out.Stdout, out.Stderr = append(out.Stdout, out.Stderr...), nil
	return out, err
}

// fail is a part of a line that ends it with a text and a status. Each `if` has
// one command alone: what belongs to it beyond that is read differently by the
// cmd.exe of Windows and that of Wine.
func fail(condition, text string, status int) string {
	return fmt.Sprintf("(if %s echo %s)&(if %s exit %d)&", condition, plainText(text), condition, status)
}

// plainText is a text for `echo`, which prints what stands there: parentheses
// would end the command that it is in.
func plainText(text string) string {
	out := []rune{}
	for _, r := range text {
		if r == '(' || r == ')' {
			out = append(out, '^')
		}
		out = append(out, r)
	}
	return string(out)
}

func isDirectory(p string) string {
	return fail("exist "+native(p+"/*"), p+": is a directory", 1)
}

// rename is the end of a line that gives a file another name, which must be
// free: `ren` never writes over anything.
func rename(from, to string) string {
	return fail("exist "+native(to), to+": exists already", 1) +
		"ren " + native(from) + ` "` + path.Base(to) + `" 2>&1&(if errorlevel 1 exit 1)&exit 0`
}

// refuse is the answer of an action that failed here, before the machine was
// told to do anything.
func refuse(format string, args ...any) transport.Output {
	return transport.Output{Stdout: fmt.Appendf(nil, format+"\n", args...), Status: 1}
}

// beside names a temporary file in a file's directory.
func (h *host) beside(p string) string {
	const enough = 8
	return path.Join(path.Dir(p), "."+path.Base(p)+".ntl-setup."+h.mark()[:enough])
}

// place writes content to a temporary file beside p, and runs the line that puts
// it there; whatever happened, the temporary file is gone after.
func (h *host) place(ctx context.Context, p string, data []byte, line func(tmp string) string) (transport.Output, error) {
	tmp := h.beside(p)
	clear := "del /f /q " + native(tmp) + " >nul 2>nul"
	why, err := h.write(ctx, tmp, data)
	if err != nil {
		return transport.Output{}, err
	}
	if why != nil {
		_, err := h.run(ctx, clear)
		return refuse("%s: cannot be written: %v", tmp, why), err
	}
	out, err := h.do(ctx, line(tmp))
	if err == nil && out.Status != 0 {
		_, err = h.run(ctx, clear)
	}
	return out, err
}

func (h *host) create(ctx context.Context, a transport.Action, guard string) (transport.Output, error) {
	taken := fail("exist "+native(a.Path), a.Path+": exists already", 1)
	out, err := h.do(ctx, taken+fail("not exist "+native(path.Dir(a.Path)+"/*"), path.Dir(a.Path)+": no such directory", 1)+"exit 0")
	if err != nil || out.Status != 0 {
		return out, err
	}
	return h.place(ctx, a.Path, a.Data, func(tmp string) string { return guard + rename(tmp, a.Path) })
}

// replace compares, writes beside, copies over, and reads what is there then.
// Copied and not renamed: the file keeps its owner, its access list and whatever
// links there are to it.
func (h *host) replace(ctx context.Context, a transport.Action, guard string) (transport.Output, error) {
	have, why, err := h.read(ctx, a.Path)
	switch {
	case err != nil:
		return transport.Output{}, err
	case errors.Is(why, fs.ErrNotExist):
		return refuse("%s: no such file", a.Path), nil
	case why != nil:
		return refuse("%s: cannot be compared: %v", a.Path, why), nil
	case !bytes.Equal(have, a.Old):
		return refuse("%s: changed since it was looked at", a.Path), nil
	}
	out, err := h.place(ctx, a.Path, a.Data, func(tmp string) string {
		return guard + "copy /y /b " + native(tmp) + " " + native(a.Path) + " 2>&1&(if errorlevel 1 exit 1)&del /f /q " + native(tmp) + "&exit 0"
	})
	if err != nil || out.Status != 0 {
		return out, err
	}
	now, why, err := h.read(ctx, a.Path)
	switch {
	case err != nil:
		return transport.Output{}, err
	case why != nil || !bytes.Equal(now, a.Data):
		return refuse("%s: does not hold what was written (disk full?)", a.Path), nil
	}
	return transport.Output{}, nil
}

// backup copies a file to a name beside it, unless there is nothing to copy or
// the copy is there.
func (h *host) backup(ctx context.Context, a transport.Action, guard string) (transport.Output, error) {
	p, tmp := native(a.Path), native(h.beside(a.To))
	return h.do(ctx, guard+"(if not exist "+p+" exit 0)&(if exist "+native(a.To)+" exit 0)&"+isDirectory(a.Path)+
		"copy /y /b "+p+" "+tmp+" 2>&1&(if errorlevel 1 exit 1)&"+
		"ren "+tmp+` "`+path.Base(a.To)+`" 2>&1&(if errorlevel 1 exit 1)&exit 0`)
}
