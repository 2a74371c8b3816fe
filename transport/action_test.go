package transport_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/transport"
)

func TestActions(t *testing.T) {
	for _, c := range []struct{ got, want transport.Action }{
		{transport.Run("/v", "a", "b"), transport.Action{Kind: "run", Path: "/v", Argv: []string{"/v", "a", "b"}}},
		{transport.Start("/g", "-d"), transport.Action{Kind: "start", Path: "/g", Argv: []string{"/g", "-d"}}},
		{transport.Replace("/f", []byte("o"), []byte("n")), transport.Action{Kind: "replace", Path: "/f", Old: []byte("o"), Data: []byte("n")}},
		{transport.Create("/f", []byte("n"), 0o640), transport.Action{Kind: "create", Path: "/f", Data: []byte("n"), Mode: 0o640}},
		{transport.Backup("/f", "/b"), transport.Action{Kind: "backup", Path: "/f", To: "/b"}},
		{transport.Move("/f", "/t"), transport.Action{Kind: "move", Path: "/f", To: "/t"}},
		{transport.Remove("/f"), transport.Action{Kind: "remove", Path: "/f"}},
		{transport.Chmod("/f", 0o600), transport.Action{Kind: "chmod", Path: "/f", Mode: 0o600}},
		{transport.MakeDir("/d"), transport.Action{Kind: "mkdir", Path: "/d"}},
		{transport.Lock("/l", "T", []byte("x"), time.Minute), transport.Action{Kind: "lock", Path: "/l", To: "T", Data: []byte("x"), Wait: time.Minute}},
		{transport.TakeOver(transport.Lock("/l", "T", nil, 0), "O", []byte("y")), transport.Action{Kind: "lock", Path: "/l", To: "T", From: "O", Old: []byte("y")}},
		{transport.Beat("/l", "T", []byte("x")), transport.Action{Kind: "beat", Path: "/l", To: "T", Data: []byte("x")}},
		{transport.Unlock("/l", "T"), transport.Action{Kind: "unlock", Path: "/l", To: "T"}},
		{transport.Bring("/d", []byte("QQ=="), "a", "b"), transport.Action{Kind: "bring", Path: "/d", Data: []byte("QQ=="), Argv: []string{"a", "b"}}},
		{transport.Stop(7, "/g", time.Second), transport.Action{Kind: "stop", Path: "/g", PID: 7, Wait: time.Second}},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("%s:\n%s", c.want.Kind, diff)
		}
	}
}
