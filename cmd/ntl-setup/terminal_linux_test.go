package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/term"

	"ntl-setup/cmd/internal/ui"
	"ntl-setup/fixtures/lab"
)

// pty is a terminal of its own: the person's end, and the program's.
func pty(t *testing.T) (person, tty *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = person.Close() }) // nothing was kept back
	var number, unlock uint32
	raw, err := person.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	for request, arg := range map[uintptr]*uint32{syscall.TIOCGPTN: &number, syscall.TIOCSPTLCK: &unlock} {
		var errno syscall.Errno
		err := raw.Control(func(fd uintptr) {
			_, _, errno = syscall.Syscall(syscall.SYS_IOCTL, fd, request, uintptr(unsafe.Pointer(arg))) //nolint:gosec // the ioctl wants a pointer
		})
		if err != nil || errno != 0 {
			t.Fatal(err, errno)
		}
	}
	tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tty.Close() }) // likewise
	return person, tty
}

// screen is what a terminal shows.
type screen struct {
	mu    sync.Mutex
	text  bytes.Buffer
	drawn chan struct{} // one entry whenever there is more
}

// watchScreen reads from the person's end until it is closed.
func watchScreen(person *os.File) *screen {
	s := &screen{drawn: make(chan struct{}, 1)}
	go func() {
		part := make([]byte, 1024)
		for {
			n, err := person.Read(part)
			s.mu.Lock()
			s.text.Write(part[:n])
			s.mu.Unlock()
			select {
			case s.drawn <- struct{}{}:
			default:
			}
			if err != nil {
				return
			}
		}
	}()
	return s
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// await waits until the terminal shows a text.
func (s *screen) await(t *testing.T, text string) {
	t.Helper()
	for limit := time.After(30 * time.Second); !strings.Contains(s.String(), text); {
		select {
		case <-s.drawn:
		case <-limit:
			t.Fatalf("no %q on the terminal:\n%s", text, s)
		}
	}
}

func termios(t *testing.T, tty *os.File) string {
	t.Helper()
	state, err := term.GetState(int(tty.Fd())) //nolint:gosec // a file descriptor fits an int
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%+v", *state)
}

// onTerminal starts the program as a process whose terminal tty is.
func onTerminal(t *testing.T, tty *os.File, words ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "ntl-setup")
	if err := os.Symlink(self, program); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, words...) //nolint:gosec // this program
	cmd.Env = append(os.Environ(), "XDG_STATE_HOME="+t.TempDir())
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

// A signal while a password is typed ends the run, and the terminal is as it was:
// it shows again what is typed, and nothing of the password is left for the shell.
func TestASignalAtThePasswordPromptGivesTheTerminalBack(t *testing.T) {
	_, _, words := visit(t, lab.Options{})
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(signal.String(), func(t *testing.T) {
			person, tty := pty(t)
			before := termios(t, tty)
			shown := watchScreen(person)
			cmd := onTerminal(t, tty, append([]string{"plan"}, words...)...)
			shown.await(t, "password: ")
			if termios(t, tty) == before {
				t.Error("a password is shown while it is typed")
			}
			if _, err := person.WriteString("half a pass"); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			err := cmd.Wait()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != ui.ExitInterrupted {
				t.Errorf("%v, want exit status 130\n%s", err, shown)
			}
			if after := termios(t, tty); after != before {
				t.Errorf("the terminal is left as\n%s\nand was\n%s", after, before)
			}
			if strings.Contains(shown.String(), "half a pass") {
				t.Errorf("the terminal shows the password:\n%s", shown)
			}
			leftToRead(t, tty)
		})
	}
}

// leftToRead: nothing that was typed waits for the next reader.
func leftToRead(t *testing.T, tty *os.File) {
	t.Helper()
	var waiting uint32
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, tty.Fd(), syscall.TIOCINQ, uintptr(unsafe.Pointer(&waiting))) //nolint:gosec // the ioctl wants a pointer
	if errno != 0 || waiting != 0 {
		t.Errorf("%d bytes of the password are left for the shell (%v)", waiting, errno)
	}
}
