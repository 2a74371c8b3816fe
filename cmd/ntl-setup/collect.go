package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"ntl-setup/cmd/internal/ui"
	"ntl-setup/orchestrator"
	"ntl-setup/steps"
	"ntl-setup/transport"
	"ntl-setup/transport/redact"
)

// collection is what doctor leaves for somebody else to look at. nil: nothing.
type collection struct {
	dir      string
	evidence *evidence // whose transcripts are copied
	secrets  *redact.Set
	readings []steps.Reading
}

// gather begins the collection that --collect asks for, in a directory that
// nobody else reads and that held nothing.
func (a *app) gather(kept *evidence, links int) (*collection, error) {
	if a.collect == "" {
		return nil, nil //nolint:nilnil // nothing is collected, and that is no error
	}
	if links > 1 {
		return nil, transport.Errorf(transport.ClassConfig, "", "--collect takes what is read for one link, and these are %d", links).
			WithHint("name one of them")
	}
	wrong := func(err error) error {
		return transport.Errorf(transport.ClassConfig, "", "--collect: %w", err).WithHint("name a directory that is new or empty")
	}
	dir, err := filepath.Abs(a.collect)
	if err != nil {
		return nil, wrong(err)
	}
	err = os.Mkdir(dir, 0o700)
	if errors.Is(err, fs.ErrExist) {
		var entries []os.DirEntry
		if entries, err = os.ReadDir(dir); err == nil && len(entries) > 0 {
			err = fmt.Errorf("%s is not empty", dir)
		}
		if err == nil {
			err = os.Chmod(dir, 0o700) //nolint:gosec // a directory is to be entered by its owner
		}
	}
	if err != nil {
		return nil, wrong(err)
	}
	return &collection{dir: dir, evidence: kept, secrets: kept.secrets}, nil
}

// read reads both hosts while they are connected.
func (c *collection) read(ctx context.Context, site *steps.Site) {
	c.readings = site.Readings(ctx)
}

// finish writes it all down, once the transcripts have ended.
func (c *collection) finish(o ui.Outcome, view *ui.View) {
	if c == nil {
		return
	}
	if err := c.write(o); err != nil {
		view.Failure("--collect", orchestrator.Fail(transport.Errorf(transport.ClassConfig, "", "%w", err)))
		return
	}
	view.Note("what was collected is in " + c.dir + "; README.txt there says what it is")
}

func (c *collection) write(o ui.Outcome) error {
	names, err := c.transcripts()
	if err != nil {
		return err
	}
	var doc bytes.Buffer
	if err := ui.WriteDocument(&doc, ui.NewDocument(string(doctor), o)); err != nil {
		return err
	}
	for _, r := range append(c.readings, steps.Reading{Name: "result.json", Data: doc.Bytes()}) {
		if bytes.Contains(r.Data, []byte("PRIVATE KEY-----")) { // no file that is asked for should hold one
			r.Data = []byte("(left out: it holds a private key)\n")
		}
		if err := c.file(r.Name, r.Data); err != nil {
			return err
		}
		names = append(names, r.Name)
	}
	slices.Sort(names)
	return c.file("README.txt", []byte(c.readme(names)))
}

// transcripts copies the run's journal and transcripts, which are without
// secrets already.
func (c *collection) transcripts() (names []string, err error) {
	from := c.evidence.dir()
	if from == "" {
		return nil, nil
	}
	entries, err := os.ReadDir(from)
	if err != nil {
		return nil, fmt.Errorf("the transcripts: %w", err)
	}
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue
		}
		data, err := os.ReadFile(filepath.Join(from, e.Name())) //nolint:gosec // a file of this run's own directory
		if err != nil {
			return nil, fmt.Errorf("the transcripts: %w", err)
		}
		if err := c.file(e.Name(), data); err != nil {
			return nil, err
		}
		names = append(names, e.Name())
	}
	return names, nil
}

// file writes one file, without secrets.
func (c *collection) file(name string, data []byte) error {
	text := c.secrets.String(string(data))
	//nolint:gosec // the directory is the user's choice, and the names are this program's own
	if err := os.WriteFile(filepath.Join(c.dir, name), []byte(text), 0o600); err != nil {
		return fmt.Errorf("write down what was read: %w", err)
	}
	return nil
}

// explained is what a file is, by what its name begins with.
type explained struct{ begins, says string }

func about() []explained {
	return []explained{
		{"client.log", "transcript: every script that was run on the client, and its answer"},
		{"hsm.log", "transcript: every line to and from the appliance's shell, and file transfers"},
		{"client-", "a file of the client, or the answer of a vtl command there"},
		{"client.txt", "the client's system, clock and addresses"},
		{"hsm.txt", "what the appliance's lists were understood as"},
		{"hsm-server.pem", "the appliance's own certificate"},
		{"result.json", "what doctor found"},
		{"", "the journal of the run"},
	}
}

func (c *collection) readme(names []string) string {
	info, _ := debug.ReadBuildInfo()
	var b strings.Builder
	fmt.Fprintf(&b, `What ntl-setup doctor read of both ends of a Network Trust Link.
%s

`, versionLine(info))
	for _, name := range names {
		for _, a := range about() {
			if strings.HasPrefix(name, a.begins) {
				fmt.Fprintf(&b, "  %-32s  %s\n", name, a.says)
				break
			}
		}
	}
	b.WriteString(`
Left out: the passwords that were given to ntl-setup, wherever they stood, and
private keys, which it never reads.

NOT left out: host names, IP addresses, names and serial numbers of clients and
partitions, certificates, paths, and whatever else the hosts said. Look through
the files before you give them to anybody.
`)
	return b.String()
}
