package scp_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/transport"
	"ntl-setup/transport/scp"
)

// script is a far side that says all its lines at once and keeps what it hears.
type script struct {
	io.Reader
	heard    bytes.Buffer
	writeErr error // what every write returns, if anything
}

func says(s string) *script { return &script{Reader: strings.NewReader(s)} }

func (s *script) Write(p []byte) (int, error) {
	if s.writeErr != nil {
		return 0, s.writeErr
	}
	return s.heard.Write(p)
}

func TestReceive(t *testing.T) {
	const limit = 100
	tests := []struct {
		name  string
		far   string
		want  string
		heard string
	}{
		{"plain", "C0644 5 server.pem\nhello\x00", "hello", "\x00\x00\x00"},
		{"with times", "T1700000000 0 1700000001 0\nC0600 2 a\nhi\x00", "hi", "\x00\x00\x00\x00"},
		{"empty file", "C0644 0 empty\n\x00", "", "\x00\x00\x00"},
		{"exactly the limit", "C0644 100 a\n" + strings.Repeat("x", 100) + "\x00", strings.Repeat("x", 100), "\x00\x00\x00"},
		{"name with a blank", "C0644 1 my file\nx\x00", "x", "\x00\x00\x00"},
		{"content like the protocol", "C0644 6 a\n\x01C0644\x00", "\x01C0644", "\x00\x00\x00"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			far := says(tt.far)
			got, err := scp.Receive(far, limit)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, string(got)); diff != "" {
				t.Errorf("content (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.heard, far.heard.String()); diff != "" {
				t.Errorf("what the far side heard (-want +got):\n%s", diff)
			}
		})
	}
}

// refusal is what a far side says and what becomes of it.
type refusal struct {
	name string
	far  string
	is   error
	text string // must stand in the error
}

func refusals() []refusal {
	return []refusal{
		{"missing file", "\x01scp: x.pem: No such file or directory\n", fs.ErrNotExist, "x.pem: No such file or directory"},
		{"forbidden file", "\x01scp: x.pem: Permission denied\n", fs.ErrPermission, "Permission denied"},
		{"error line cut off", "\x02scp: lost", nil, "scp: lost"},
		{"error without words", "\x01\n", nil, "without a reason"},
		{"read error at the far side after the data", "C0644 2 a\nhi\x01scp: a: Input/output error\n", nil, "Input/output error"},
		{"too large", "C0644 101 a\n", transport.ErrTooLarge, "101 bytes"},
		{"huge", "C0644 9223372036854775807 a\n", transport.ErrTooLarge, ""},
		{"beyond 64 bits", "C0644 9223372036854775808 a\n", scp.ErrProtocol, "bad size"},
		{"negative size", "C0644 -1 a\n", scp.ErrProtocol, "bad size"},
		{"signed size", "C0644 +1 a\n", scp.ErrProtocol, "bad size"},
		{"no size", "C0644  a\n", scp.ErrProtocol, "bad size"},
		{"negative mode", "C-644 1 a\n", scp.ErrProtocol, "bad mode"},
		{"mode not octal", "C0689 1 a\n", scp.ErrProtocol, "bad mode"},
		{"short mode", "C644 1 a\n", scp.ErrProtocol, "bad mode"},
		{"long mode", "C100644 1 a\n", scp.ErrProtocol, "bad mode"},
		{"no blanks", "C0644\n", scp.ErrProtocol, "bad mode"},
		{"path in the name", "C0644 1 ../a\n", scp.ErrProtocol, "bad name"},
		{"name is the parent", "C0644 1 ..\n", scp.ErrProtocol, "bad name"},
		{"name is empty", "C0644 1 \n", scp.ErrProtocol, "bad name"},
		{"control character in the name", "C0644 1 a\x1b[2J\n", scp.ErrProtocol, "bad name"},
		{"directory", "D0755 0 certs\n", scp.ErrProtocol, "directory"},
		{"end of a directory", "E\n", scp.ErrProtocol, `"E"`},
		{"times twice", "T1 0 1 0\nT1 0 1 0\nC0644 0 a\n\x00", scp.ErrProtocol, "T1 0 1 0"},
		{"times malformed", "T1 0 x 0\n", scp.ErrProtocol, "T1 0 x 0"},
		{"negative times", "T-1 0 1 0\n", scp.ErrProtocol, "T-1 0 1 0"},
		{"prose after times", "T1 0 1 0\nSorry\n", scp.ErrProtocol, "'S'"},
		{"times and the end", "T1 0 1 0\n", io.ErrUnexpectedEOF, ""},
		{"endless line", "C0644 1 " + strings.Repeat("a", scp.MaxLine+1), scp.ErrProtocol, "longer than"},
		{"cut in the header", "C0644 5", io.ErrUnexpectedEOF, ""},
		{"cut in the data", "C0644 5 a\nhel", io.ErrUnexpectedEOF, "3 of 5"},
		{"cut before the last answer", "C0644 5 a\nhello", io.ErrUnexpectedEOF, ""},
		{"more data than announced", "C0644 2 a\nhello\x00", scp.ErrProtocol, "0x6c"},
		{"nothing at all", "", scp.ErrNotSCP, "without a word"},
		{"restricted shell", "\r\nUnknown command\r\n[hsm] lunash:>", scp.ErrNotSCP, "Unknown command"},
		{"prose that begins like a file", "Command not found: 'scp'\n", scp.ErrNotSCP, "Command not found: 'scp'"},
		{"prose that begins like times", "This host is for staff only\n", scp.ErrNotSCP, "This host"},
		{"prose that begins like a directory end", "Error: no scp\n", scp.ErrNotSCP, "Error: no scp"},
		{"one letter", "C", scp.ErrNotSCP, `"C"`},
		{"steering the terminal", "\x1b[31mNo\x1b[0m\n", scp.ErrNotSCP, `"No"`},
		{"nothing printable", "\xff\xfe\n", scp.ErrNotSCP, "0xff"},
	}
}

func TestReceiveRefuses(t *testing.T) {
	const limit = 100
	for _, tt := range refusals() {
		t.Run(tt.name, func(t *testing.T) {
			got, err := scp.Receive(says(tt.far), limit)
			if err == nil {
				t.Fatalf("no error, content %q", got)
			}
			if got != nil {
				t.Errorf("content %q came with an error", got)
			}
			if tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("error %v is no %v", err, tt.is)
			}
			if !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error %q does not hold %q", err, tt.text)
			}
		})
	}
}

// A source that has refused is told so, or it would wait for an answer.
func TestReceiveTellsTheFarSideToEnd(t *testing.T) {
	for _, announced := range []string{"D0755 0 d\n", "C0644 -1 a\n"} {
		far := says(announced)
		if _, err := scp.Receive(far, 100); err == nil {
			t.Fatalf("%q: no error", announced)
		}
		if heard := far.heard.String(); !strings.HasPrefix(heard, "\x00\x00\x00\x02scp: ") || !strings.HasSuffix(heard, "\n") {
			t.Errorf("%q: the far side heard %q", announced, heard)
		}
	}
}

// A limit bounds what is held, whatever is announced.
func TestReceiveHoldsNoMoreThanArrives(t *testing.T) {
	const announced = 1 << 40
	allocated := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := scp.Receive(says(fmt.Sprintf("C0644 %d a\nshort", announced)), announced); err == nil {
				b.Fatal("no error")
			}
		}
	}).AllocedBytesPerOp()
	if allocated > 1<<20 {
		t.Errorf("%d bytes were allocated for five", allocated)
	}
}

func TestRemoteErrorFatal(t *testing.T) {
	for kind, want := range map[string]bool{"\x01": false, "\x02": true} {
		_, err := scp.Receive(says(kind+"scp: gone\n"), 1)
		var remote *scp.RemoteError
		if !errors.As(err, &remote) {
			t.Fatalf("error %v is no *RemoteError", err)
		}
		if diff := cmp.Diff(&scp.RemoteError{Text: "scp: gone", Fatal: want}, remote); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || errors.Is(err, scp.ErrNotSCP) {
			t.Errorf("%v counts as another kind of error", err)
		}
	}
}

func TestReadErrorsAreKept(t *testing.T) {
	lost := errors.New("line dropped")
	for _, before := range []string{"", "C0644", "C0644 2 a\n", "C0644 2 a\nh", "C0644 2 a\nhi", "\x01scp: a"} {
		far := &script{Reader: io.MultiReader(strings.NewReader(before), failing{lost})}
		if _, err := scp.Receive(far, 9); !errors.Is(err, lost) {
			t.Errorf("receive after %q: error %v is no %v", before, err, lost)
		}
	}
	for _, before := range []string{"", "\x00", "\x00\x00"} {
		far := &script{Reader: io.MultiReader(strings.NewReader(before), failing{lost})}
		if err := scp.Send(far, "a", 0o600, []byte("hi")); !errors.Is(err, lost) {
			t.Errorf("send after %q: error %v is no %v", before, err, lost)
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
