package transporttest

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"ntl-setup/transport"
)

// Look answers from memory.
func (h *FakeHost) Look(ctx context.Context, queries ...transport.Query) (transport.Facts, error) {
	h.exchange.Lock()
	defer h.exchange.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, transport.Errorf(transport.ClassTimeout, h.name, "looking: %w", err)
	}
	h.Exchanges++
	h.Looked = append(h.Looked, slices.Clone(queries))
	facts := transport.Facts{}
	for _, q := range queries {
		facts[q] = h.fact(q)
	}
	return facts, nil
}

// DoAndLook is Do, and then Look.
func (h *FakeHost) DoAndLook(ctx context.Context, actions []transport.Action, queries []transport.Query) ([]transport.Output, transport.Facts, error) {
	outputs, err := h.Do(ctx, actions...)
	var failed *transport.ActionError
	if err != nil && !errors.As(err, &failed) {
		return outputs, nil, err // the line has dropped
	}
	facts, unread := h.Look(ctx, queries...)
	if unread != nil {
		return outputs, nil, err
	}
	h.Exchanges-- // Do and Look have counted one each
	return outputs, facts, err
}

func (h *FakeHost) fact(q transport.Query) transport.Fact {
	switch q.Kind {
	case transport.QuerySystem:
		return transport.Fact{System: h.System, Machine: h.Machine, User: h.User, ConfigDir: h.ConfigDir, Clock: h.Clock.Truncate(time.Second)}
	case transport.QueryAddresses:
		return transport.Fact{Names: slices.Clone(h.Addresses)}
	case transport.QueryRoute:
		return transport.Fact{Names: slices.Clone(h.Sources)}
	case transport.QueryReach:
		return h.Port
	case transport.QueryProcesses:
		return transport.Fact{Processes: h.processes(q)}
	case transport.QueryHolders:
		return transport.Fact{Processes: slices.Clone(h.Holders)}
	case transport.QueryProgram:
		return h.program(q.ArgList())
	case transport.QueryProbe:
		text, _ := h.tool(append([]string{q.Path}, q.ArgList()...))
		return transport.Fact{Data: []byte(text)}
	case transport.QueryVtl:
		f := h.find(q.Path)
		if f == nil || f.mode&0o111 == 0 {
			return transport.Fact{Missing: true}
		}
		text, _ := h.tool(append([]string{q.Path}, q.ArgList()...))
		return transport.Fact{Data: []byte(text)}
	case transport.QueryFile, transport.QueryDir, transport.QueryKey, transport.QueryStat:
		return h.pathFact(q)
	}
	return transport.Fact{Problem: "unknown query " + string(q.Kind)}
}

// checkPath says what is wrong with a path, as a real Host would.
func checkPath(name string) string {
	switch {
	case !path.IsAbs(name):
		return fmt.Sprintf("%q is not an absolute path", name)
	case strings.ContainsAny(name, "\n\r\x00"):
		return fmt.Sprintf("%q holds a line break or a NUL byte", name)
	}
	return ""
}

// tool runs the hook that stands for every tool.
func (h *FakeHost) tool(argv []string) (string, int) {
	if h.Vtl == nil {
		return "", 0
	}
	return h.Vtl(h, argv)
}

func (h *FakeHost) pathFact(q transport.Query) transport.Fact {
	var fact transport.Fact
	if problem := checkPath(q.Path); problem != "" {
		return transport.Fact{Problem: problem}
	}
	if q.Kind == transport.QueryFile && strings.HasSuffix(q.Path, "Key.pem") {
		return transport.Fact{Problem: "a private key is not read"}
	}
	if f := h.files[path.Clean(q.Path)]; f != nil {
		fact.Link = f.link
	}
	f := h.find(q.Path)
	if f == nil {
		fact.Missing = true
		return fact
	}
	fact.Mode, fact.Owner, fact.Group = f.mode&^fs.ModeType, f.owner, f.group
	fact.Unwritable, fact.Directory = h.Unwritable[path.Clean(q.Path)], f.mode.IsDir()
	if q.Kind == transport.QueryStat {
		return fact
	}
	if fact.Problem = h.Problems[path.Clean(q.Path)]; fact.Problem != "" {
		return fact
	}
	switch {
	case q.Kind == transport.QueryDir && !f.mode.IsDir():
		fact.Problem = "not a directory"
	case q.Kind == transport.QueryDir:
		fact.Names = h.names(h.resolve(q.Path))
	case f.mode.IsDir():
		fact.Problem = "not a regular file"
	case q.Kind == transport.QueryKey:
		keyFact(&fact, f.data)
	case bytes.Contains(f.data, []byte("PRIVATE KEY-----")):
		fact.Problem = "a private key is not read"
	case len(f.data) > 1<<20:
		fact.Problem = "larger than 1048576 bytes"
	default:
		fact.Data = slices.Clone(f.data)
	}
	return fact
}

// names lists what is directly in a directory.
func (h *FakeHost) names(dir string) []string {
	names := []string{}
	for name := range h.files {
		if name != dir && path.Dir(name) == dir {
			names = append(names, path.Base(name))
		}
	}
	slices.Sort(names)
	return names
}

// keyFact tells what may be known of a private key.
func keyFact(fact *transport.Fact, data []byte) {
	first, _, _ := strings.Cut(string(data), "\n")
	if !strings.HasPrefix(first, "-----BEGIN ") {
		fact.Problem, fact.Damaged = "no PEM header", true
		return
	}
	fact.Header = strings.TrimSpace(first)
	lines := strings.SplitN(string(data), "\n", 4)
	fact.Encrypted = strings.Contains(strings.Join(lines[:min(3, len(lines))], "\n"), "ENCRYPTED")
	if fact.Encrypted {
		fact.Problem = "the key is encrypted"
		return
	}
	block, _ := pem.Decode(data)
	if block == nil {
		fact.Problem, fact.Damaged = "openssl cannot read the key", true
		return
	}
	if fact.Public = publicHalf(block.Bytes); fact.Public == nil {
		fact.Problem, fact.Damaged = "openssl cannot read the key", true
	}
}

// publicHalf is the SubjectPublicKeyInfo of an RSA or EC key, nil for others.
func publicHalf(der []byte) []byte {
	var public any
	if k, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		public = &k.PublicKey
	} else if k, err := x509.ParseECPrivateKey(der); err == nil {
		public = &k.PublicKey
	} else if k, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		switch k := k.(type) {
		case *rsa.PrivateKey:
			public = &k.PublicKey
		case *ecdsa.PrivateKey:
			public = &k.PublicKey
		}
	}
	spki, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki})
}

// processes lists those of an executable, with the files newer than each.
func (h *FakeHost) processes(q transport.Query) []transport.Process {
	var found []transport.Process
	for _, p := range h.Running {
		if p.Executable != q.Path {
			continue
		}
		seen := transport.Process{
			PID: p.PID, Command: p.Command,
			Started: p.Started.UTC().Format("Mon Jan _2 15:04:05 2006"),
			Age:     h.Clock.Sub(p.Started).Truncate(time.Second),
		}
		if seen.Command == "" {
			seen.Command = p.Executable
		}
		for _, name := range q.ArgList() {
			if f := h.find(name); f != nil && f.changed.Sub(p.Started) > 2*time.Second {
				seen.Newer = append(seen.Newer, name)
			}
		}
		found = append(found, seen)
	}
	return found
}
