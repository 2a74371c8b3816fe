//go:build !linux || !cgo

package main

import (
	"context"
	"time"

	"ntl-setup/transport"
	"ntl-setup/transport/probe"
)

// load is never started here.
func load(string) int { return exitUsage }

// ask says why this build asks nobody.
func ask(_ context.Context, library string, _ time.Duration) probe.Document {
	d := probe.Fail(library, transport.ClassConfig, "build it on Linux with a C compiler (make build)",
		"this ntl-probe cannot load a library: it was built without cgo, or for another system than Linux")
	d.Exit = exitUsage
	return d
}
