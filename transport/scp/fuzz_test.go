package scp_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"ntl-setup/transport"
	"ntl-setup/transport/scp"
)

func FuzzReceive(f *testing.F) {
	for _, seed := range []string{
		"C0644 5 server.pem\nhello\x00",
		"T1700000000 0 1700000001 0\nC0600 2 a\nhi\x00",
		"\x01scp: x.pem: No such file or directory\n",
		"\x02scp: gone", "D0755 0 d\n", "E\n", "C-644 1 a\n", "C0644 -1 a\n",
		"[hsm] lunash:>", "Command not found\n", "",
		"C0644 9223372036854775807 a\n",
	} {
		f.Add([]byte(seed))
	}
	const limit = 64
	f.Fuzz(func(t *testing.T, far []byte) {
		data, err := scp.Receive(says(string(far)), limit)
		if err != nil {
			if data != nil {
				t.Errorf("content %q came with error %v", data, err)
			}
			if text := err.Error(); transport.Printable(text) != text {
				t.Errorf("the error %q could steer a terminal", text)
			}
			return
		}
		if len(data) > limit {
			t.Errorf("%d bytes, %d were allowed", len(data), limit)
		}
		if !bytes.Contains(far, fmt.Appendf(nil, " %d ", len(data))) && !bytes.Contains(far, []byte(" 0")) {
			t.Errorf("%d bytes were never announced in %q", len(data), far)
		}
		if !bytes.Contains(far, append(bytes.Clone(data), 0)) {
			t.Errorf("%q was never sent in %q", data, far)
		}
	})
}

func FuzzSend(f *testing.F) {
	f.Add([]byte("\x00\x00\x00"), "a.pem", []byte("hello"))
	f.Add([]byte("\x00\x01scp: no room\n"), "a", []byte(nil))
	f.Add([]byte("lunash:>"), "..", []byte("x"))
	f.Fuzz(func(t *testing.T, far []byte, name string, data []byte) {
		peer := says(string(far))
		err := scp.Send(peer, name, 0o644, data)
		if want := bytes.HasPrefix(far, []byte{0, 0, 0}); (err == nil) && !want {
			t.Errorf("success after the answers %q", far)
		}
		line, lineErr := scp.SinkLine(name)
		if lineErr != nil {
			if err == nil || peer.heard.Len() > 0 {
				t.Errorf("a name that is refused was sent: %q", name)
			}
			return
		}
		if err != nil {
			if errors.Is(err, scp.ErrNotSCP) && peer.heard.Len() > 0 {
				t.Errorf("no SCP, but %q was sent", peer.heard.String())
			}
			return
		}
		whole := fmt.Sprintf("C0644 %d %s\n%s\x00", len(data), strings.TrimPrefix(line, "scp -t "), data)
		if peer.heard.String() != whole {
			t.Errorf("sent %q, want %q", peer.heard.String(), whole)
		}
	})
}
