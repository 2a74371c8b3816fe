package windows

import (
	"context"
	"errors"
	"io/fs"
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"ntl-setup/transport"
)

// section is one marked answer.
type section struct {
	index int    // of the query
	name  string // what it tells; may have blanks
	data  string // what was printed behind it, line ends as on Windows
}

// errNoAnswer: a mark that every line prints is not there.
var errNoAnswer = errors.New("cmd.exe gave no answer")

// parseReply finds the marked answers in what a line printed. A mark is a word
// that no output has by chance; what stands before the first is nobody's.
func parseReply(mark string, out []byte) ([]section, error) {
	parts := strings.Split(string(out), mark+" ")
	var all []section
	for _, part := range parts[1:] {
		head, data, _ := strings.Cut(part, "\n")
		number, name, _ := strings.Cut(strings.TrimSpace(head), " ")
		i, err := strconv.Atoi(number)
		if err != nil || i < 0 {
			return nil, errors.New("foreign text in the answer")
		}
		all = append(all, section{index: i, name: name, data: data})
	}
	if len(all) == 0 {
		return nil, errNoAnswer
	}
	return all, nil
}

func of(all []section, index int) []section {
	return slices.DeleteFunc(slices.Clone(all), func(s section) bool { return s.index != index })
}

// readFact makes a fact of the answers to one query. Of a file only what the
// command line told of it is in there.
func readFact(q transport.Query, sections []section) (transport.Fact, error) {
	var f transport.Fact
	if len(sections) == 0 {
		return f, errNoAnswer
	}
	directory, said := false, ""
	for _, s := range sections {
		switch s.name {
		case "missing":
			return transport.Fact{Missing: q.Kind != transport.QueryProcesses}, nil // what is not there does not run
		case "directory":
			directory = true
		case "private":
			f.Problem = "a private key is not read"
		case "unreadable":
			f.Problem = "it cannot be read"
		case "encrypted":
			f.Encrypted = true
		case "names":
			f.Names = entries(s.data)
		case "data":
			f.Data = []byte(s.data)
		case "environment":
			f.System, f.ConfigDir = "Windows", slashed(variable(s.data))
		case "addresses":
			f.Names = addresses(s.data)
		case "tasks":
			said, f.Processes = s.data, tasks(path.Base(q.Path), s.data)
		case "failed":
			f.Problem = "tasklist: " + transport.Printable(said)
		default:
			if header, ok := strings.CutPrefix(s.name, "header "); ok && f.Header == "" {
				f.Header = "-----BEGIN " + header + "-----"
			}
		}
	}
	return settle(q, f, directory), nil
}

// settle says what is wrong with what is there, if anything.
func settle(q transport.Query, f transport.Fact, directory bool) transport.Fact {
	switch q.Kind {
	case transport.QueryDir:
		if !directory {
			return transport.Fact{Problem: "not a directory"}
		}
	case transport.QueryFile, transport.QueryVtl:
		if directory {
			return transport.Fact{Directory: true, Problem: "not a regular file"}
		}
	case transport.QueryKey:
		switch {
		case directory:
			return transport.Fact{Directory: true, Problem: "not a regular file"}
		case f.Problem != "":
			return transport.Fact{Problem: f.Problem}
		case f.Header == "":
			return transport.Fact{Damaged: true, Problem: "no PEM header"}
		case f.Encrypted:
			f.Problem = "the key is encrypted"
		default:
			f.Problem = "no tool of Windows shows the public half of a key"
		}
	default:
	}
	return f
}

// entries are the lines of `dir /b`, sorted.
func entries(list string) []string {
	names := []string{}
	for line := range strings.Lines(list) {
		if name := strings.TrimRight(line, "\r\n"); name != "" && name != "." && name != ".." {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// variable is the value in a line "Name=value" of `set`.
func variable(list string) string {
	for line := range strings.Lines(list) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && strings.EqualFold(name, "ChrystokiConfigurationPath") {
			return value
		}
	}
	return ""
}

// addresses are those of the lines about IPv4 and IPv6 in what ipconfig prints.
// The words around differ by language; these two do not. Behind an address may
// stand its zone and, in parentheses, a remark.
func addresses(list string) []string {
	var found []string
	for line := range strings.Lines(list) {
		label, value, ok := strings.Cut(line, ": ")
		if !ok || !strings.Contains(label, "IPv4") && !strings.Contains(label, "IPv6") {
			continue
		}
		value, _, _ = strings.Cut(strings.TrimSpace(value), "(")
		value, _, _ = strings.Cut(value, "%")
		if a, err := netip.ParseAddr(value); err == nil && !slices.Contains(found, a.String()) {
			found = append(found, a.String())
		}
	}
	return found
}

// readFiles adds the content of the files that may be read, side by side.
func (h *host) readFiles(ctx context.Context, facts transport.Facts) error {
	const atOnce = 8
	slots := make(chan struct{}, atOnce)
	var mu sync.Mutex
	var failures []error
	var all sync.WaitGroup
	for _, q := range toRead(facts) {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			data, why, err := h.read(ctx, q.Path)
			mu.Lock()
			defer mu.Unlock()
			facts[q] = contentFact(data, why)
			if err != nil {
				failures = append(failures, err)
			}
		})
	}
	all.Wait()
	if len(failures) > 0 {
		return failures[0]
	}
	return nil
}

// toRead are the files whose content is still to be had.
func toRead(facts transport.Facts) []transport.Query {
	var files []transport.Query
	for q, f := range facts {
		if q.Kind == transport.QueryFile && !f.Missing && f.Problem == "" {
			files = append(files, q)
		}
	}
	return files
}

// contentFact is a file's content, or why it was not to be had.
func contentFact(data []byte, why error) transport.Fact {
	switch {
	case why == nil && strings.Contains(string(data), "PRIVATE KEY-----"):
		return transport.Fact{Problem: "a private key is not read"}
	case why == nil:
		return transport.Fact{Data: data}
	case errors.Is(why, fs.ErrNotExist):
		return transport.Fact{Missing: true} // gone since the command line saw it
	case errors.Is(why, transport.ErrTooLarge):
		return transport.Fact{Problem: "larger than 1 MiB"}
	}
	return transport.Fact{Problem: why.Error()}
}
