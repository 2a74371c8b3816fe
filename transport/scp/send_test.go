package scp_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/transport/scp"
)

func TestSend(t *testing.T) {
	far := says("\x00\x00\x00")
	if err := scp.Send(far, "10.1.2.3.pem", 0o640, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("C0640 5 10.1.2.3.pem\nhello\x00", far.heard.String()); diff != "" {
		t.Errorf("what the far side heard (-want +got):\n%s", diff)
	}
}

func TestSendEmptyFile(t *testing.T) {
	far := says("\x00\x00\x00")
	if err := scp.Send(far, "a", 0, nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("C0000 0 a\n\x00", far.heard.String()); diff != "" {
		t.Errorf("what the far side heard (-want +got):\n%s", diff)
	}
}

// What a refusal of the header may find sent already is a small file that no far
// side takes for a message; of any other, nothing goes past a refusal.
func TestSendRefused(t *testing.T) {
	const small, message = "hi", "C0644 5 b\n"
	large := strings.Repeat("x", 16<<10+1)
	tests := []struct {
		name string
		far  string
		is   error
		text string
		past string // the last that is sent: nothing, the header, or the data
	}{
		{"no scp", "", scp.ErrNotSCP, "without a word", ""},
		{"restricted shell", "Last login: Mon\n[hsm] lunash:>", scp.ErrNotSCP, "Last login: Mon", ""},
		{"refused at once", "\x01scp: no room\n", nil, "scp: no room", ""},
		{"refused the header", "\x00\x01scp: d/a: No such file or directory\n", fs.ErrNotExist, "d/a", "header"},
		{"disk full after the data", "\x00\x00\x01scp: a: No space left on device\n", nil, "No space left", "data"},
		{"no answer to the data", "\x00\x00", io.ErrUnexpectedEOF, "", "data"},
		{"no answer to the header", "\x00", io.ErrUnexpectedEOF, "", "header"},
		{"prose for an answer", "\x00Hello", scp.ErrProtocol, "0x48", "header"},
		{"fatal", "\x00\x02scp: ambiguous target\n", nil, "ambiguous target", "header"},
		{"endless error line", "\x01" + strings.Repeat("a", scp.MaxLine+1), scp.ErrProtocol, "longer than", ""},
	}
	for _, tt := range tests {
		for kind, data := range map[string]string{"small": small, "like a message": message, "large": large} {
			t.Run(tt.name+", "+kind, func(t *testing.T) {
				far := says(tt.far)
				err := scp.Send(far, "a", 0o644, []byte(data))
				if err == nil {
					t.Fatal("no error")
				}
				if tt.is != nil && !errors.Is(err, tt.is) {
					t.Errorf("error %v is no %v", err, tt.is)
				}
				if !strings.Contains(err.Error(), tt.text) {
					t.Errorf("error %q does not hold %q", err, tt.text)
				}
				header := fmt.Sprintf("C0644 %d a\n", len(data))
				want := map[string]string{"": "", "header": header, "data": header + data + "\x00"}
				past := tt.past
				if past != "" && kind == "small" {
					past = "data"
				}
				if diff := cmp.Diff(want[past], far.heard.String()); diff != "" {
					t.Errorf("what the far side heard (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// The reason that a dead far side left is worth more than "broken pipe".
func TestWriteToADeadFarSide(t *testing.T) {
	broken := errors.New("broken pipe")
	tests := []struct {
		name string
		far  string
		is   error
		text string
	}{
		{"it said why", "\x00\x01scp: quota exceeded\n", nil, "quota exceeded"},
		{"it said nothing", "\x00", broken, "broken pipe"},
	}
	for _, tt := range tests {
		t.Run("send: "+tt.name, func(t *testing.T) {
			far := says(tt.far)
			far.writeErr = broken
			err := scp.Send(far, "a", 0o644, []byte("hi"))
			if err == nil || !strings.Contains(err.Error(), tt.text) || tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("error %v, want one with %q", err, tt.text)
			}
		})
	}
	t.Run("receive: no scp there", func(t *testing.T) {
		far := says("")
		far.writeErr = io.EOF
		if _, err := scp.Receive(far, 1); !errors.Is(err, scp.ErrNotSCP) {
			t.Errorf("error %v is no ErrNotSCP", err)
		}
	})
	t.Run("receive: deaf", func(t *testing.T) {
		far := says("C0644 1 a\n")
		far.writeErr = broken
		if _, err := scp.Receive(far, 1); !errors.Is(err, broken) {
			t.Errorf("error %v is no %v", err, broken)
		}
	})
}

func TestSendArguments(t *testing.T) {
	far := says("\x00\x00\x00")
	if err := scp.Send(far, "a", fs.ModeSetuid|0o755, nil); err == nil {
		t.Error("a set-user-id file was sent")
	}
	if err := scp.Send(far, "a\nC0644 1 b", 0o644, nil); err == nil {
		t.Error("a name with a line end was sent")
	}
	if far.heard.Len() != 0 {
		t.Errorf("the far side heard %q", far.heard.String())
	}
}

func TestLines(t *testing.T) {
	good := []string{"server.pem", "10.1.2.3.pem", "fe80::1.pem", "a_b-c.9", "...", strings.Repeat("n", 255)}
	for _, name := range good {
		source, err1 := scp.SourceLine(name)
		sink, err2 := scp.SinkLine(name)
		if err1 != nil || err2 != nil {
			t.Errorf("%q: %v, %v", name, err1, err2)
		}
		if source != "scp -f "+name || sink != "scp -t "+name {
			t.Errorf("%q: lines %q and %q", name, source, sink)
		}
	}
	bad := []string{"", ".", "..", "-r", "a b", "a/b", "/a", "../a", "a;b", "$(id)", "`id`", "a\nb", "a'b", "~a", "*", "ä", "a\x00", strings.Repeat("n", 256)}
	for _, name := range bad {
		if line, err := scp.SourceLine(name); err == nil || line != "" {
			t.Errorf("SourceLine(%q) = %q, %v", name, line, err)
		}
		if line, err := scp.SinkLine(name); err == nil || line != "" {
			t.Errorf("SinkLine(%q) = %q, %v", name, line, err)
		}
	}
}
