package config

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"

	"ntl-setup/cmd/internal/strictyaml"
	"ntl-setup/orchestrator"
)

// largestFile bounds ntl.yaml: a hundred thousand links.
const largestFile = 16 << 20

// Mistake is what is wrong in a file, and where.
type Mistake struct {
	File         string
	Line, Column int // from 1; columns in bytes
	Text         string
}

// String is the form that editors understand: file:line:column: text.
func (m Mistake) String() string {
	return fmt.Sprintf("%s:%d:%d: %s", m.File, m.Line, m.Column, m.Text)
}

// Mistakes are all that is wrong in a file, in its order.
type Mistakes []Mistake

// Error is one line for each.
func (m Mistakes) Error() string {
	text := ""
	for i, one := range m {
		if i > 0 {
			text += "\n"
		}
		text += one.String()
	}
	return text
}

// ErrorClass is "config".
func (m Mistakes) ErrorClass() string { return "config" }

// ErrorHint has nothing to add: each mistake tells its place.
func (m Mistakes) ErrorHint() string { return "" }

// parsed is a file that was read, with the places of everything in it.
type parsed struct {
	name     string
	file     File
	places   strictyaml.Places
	mistakes Mistakes
	alone    bool // it is checked by itself: variables may be set where it is used
}

// readFile reads ntl.yaml and finds its mistakes, as far as they can be told
// without any host.
func readFile(name string) (*parsed, error) {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, wrong("-f, --file: %w", err)
	case !info.Mode().IsRegular() && info.Mode()&os.ModeNamedPipe == 0:
		return nil, wrong("-f, --file: %s is not a file", name)
	case info.Size() > largestFile:
		return nil, wrong("-f, --file: %s is larger than %d bytes", name, largestFile)
	}
	text, err := os.ReadFile(name) //nolint:gosec // the user names the file
	if err != nil {
		return nil, wrong("-f, --file: %w", err)
	}
	return parseFile(name, text), nil
}

// parseFile is readFile for a text that is there.
func parseFile(name string, text []byte) *parsed {
	p := &parsed{name: name}
	var mistakes []strictyaml.Mistake
	p.places, mistakes = strictyaml.Decode(text, &p.file)
	for _, m := range mistakes {
		p.mistakes = append(p.mistakes, Mistake{name, m.Line, m.Column, m.Text})
	}
	// What could not be read leaves gaps that would be told as mistakes again.
	if len(mistakes) == 0 {
		p.check()
	}
	slices.SortStableFunc(p.mistakes, func(a, b Mistake) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return p
}

// wrong keeps a mistake at the place of a path.
func (p *parsed) wrong(path, format string, args ...any) {
	at := p.places.At(path)
	p.mistakes = append(p.mistakes, Mistake{p.name, at.Line, at.Column, fmt.Sprintf(format, args...)})
}

// judge keeps an error, with its hint, as a mistake.
func (p *parsed) judge(path string, err error) {
	if err == nil {
		return
	}
	f := orchestrator.Fail(err)
	if f.Hint != "" {
		p.wrong(path, "%s; %s", f.Message, f.Hint)
		return
	}
	p.wrong(path, "%s", f.Message)
}

func (p *parsed) check() {
	p.checkReach("defaults.hsm", p.file.Defaults.HSM)
	p.checkClientReach("defaults.client", p.file.Defaults.Client)
	p.checkPartitions("defaults.partitions", p.file.Defaults.Partitions)
	for _, name := range slices.Sorted(maps.Keys(p.file.HSMs)) {
		p.checkHSM("hsms."+name, name, p.file.HSMs[name])
	}
	for _, name := range slices.Sorted(maps.Keys(p.file.Clients)) {
		p.checkClient("clients."+name, name, p.file.Clients[name])
	}
	for _, name := range slices.Sorted(maps.Keys(p.file.Groups)) {
		p.checkGroup("groups."+name, name, p.file.Groups[name])
	}
	if len(p.file.Links) == 0 {
		p.wrong("links", "there is no link: links wants a list of client, hsm and partition")
	}
	for i, l := range p.file.Links {
		p.checkLink("links["+strconv.Itoa(i)+"]", l)
	}
	p.checkPairs()
}

// checkOwnName checks a name that the file gives to a host or a group: it stands
// in reports, and in the patterns of --only.
func (p *parsed) checkOwnName(path, name string) {
	p.judge(path, checkName("the name", name))
}

func (p *parsed) checkHSM(path, name string, h FileHSM) {
	p.checkOwnName(path, name)
	p.checkHost(path, h.Host)
	p.checkReach(path, h.FileReach)
	if h.Address != "" {
		p.judge(path+".address", checkAddress("address", h.Address))
	}
	if h.Certificate != "" {
		l := Link{HSMCertificate: h.Certificate}
		p.judge(path+".certificate", l.pinCertificate())
	}
}

func (p *parsed) checkClient(path, name string, c FileClient) {
	p.checkOwnName(path, name)
	p.checkHost(path, c.Host)
	p.checkClientReach(path, c.FileClientReach)
	if c.Address != "" {
		p.judge(path+".address", cmp.Or(checkAddress("address", c.Address), checkOwn("address", c.Address)))
	}
	if c.Name != "" {
		p.judge(path+".name", cmp.Or(checkName("name", c.Name), checkOwn("name", c.Name)))
	}
}

func (p *parsed) checkGroup(path, name string, members Words) {
	p.checkOwnName(path, name)
	if _, both := p.file.Clients[name]; both {
		p.wrong(path, "%s is a client already; a group needs a name of its own", name)
	}
	for i, member := range members {
		if _, known := p.file.Clients[member]; !known {
			p.wrong(path+"["+strconv.Itoa(i)+"]", "there is no client %s", member)
		}
	}
}
