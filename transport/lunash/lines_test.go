package lunash

import (
	"errors"
	"testing"

	"ntl-setup/transport"
)

func TestLines(t *testing.T) {
	for want, line := range map[string]Line{
		"client register -client web1 -ip 192.0.2.10":          RegisterLine(Registration{Name: "web1", Address: "192.0.2.10"}),
		"client register -client web1 -hostname web1.example":  RegisterLine(Registration{Name: "web1", Address: "web1.example", ByHostname: true}),
		"client assignPartition -client web1 -partition part6": AssignLine("web1", "part6"),
		"client hostip map -client web1 -ip 192.0.2.10":        MapHostIPLine("web1", "192.0.2.10"),
		"client fingerprint -client web1":                      FingerprintLine("web1"),
	} {
		if line.Err() != nil || line.String() != want {
			t.Errorf("%s, %v; want %s", line, line.Err(), want)
		}
	}
	for _, line := range []Line{
		RegisterLine(Registration{Name: "a b", Address: "192.0.2.10"}), RegisterLine(Registration{Name: "a", Address: "-x"}),
		AssignLine("a", "b;c"), AssignLine("", "b"), MapHostIPLine("a", "b c"), FingerprintLine("-force"),
	} {
		if line.Err() == nil {
			t.Errorf("%q may be sent", line)
		}
	}
}

// deaf is an appliance to which no copy gets through.
type deaf struct{ transport.Conn }

func (deaf) Name() string { return "admin@192.0.2.20:22" }

func TestCopiesBySFTP(t *testing.T) {
	a := New(deaf{}, Options{})
	inner, ok := a.(*appliance)
	if !ok {
		t.Fatalf("%T", a)
	}
	if CopiesBySFTP(a) || CopiesBySFTP(nil) {
		t.Error("before anything was copied")
	}
	for p, want := range map[protocol]bool{bySFTP: true, bySCP: false} {
		inner.files.remember(p)
		if CopiesBySFTP(a) != want || CopiesBySFTP(Share(a)) != want {
			t.Errorf("%s: want %t", p, want)
		}
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	if _, err := a.Clients(t.Context()); !errors.Is(err, transport.ErrClosed) {
		t.Errorf("%v", err)
	}
}
