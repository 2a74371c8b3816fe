package config

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"ntl-setup/cmd/internal/strictyaml"
	"ntl-setup/orchestrator"
	"ntl-setup/transport/ssh"
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
	text     []byte
	file     File
	places   strictyaml.Places
	env      Env
	mistakes Mistakes
	faulty   map[string]bool // paths of what could not be read: nothing is said of it again
	touched  map[string]bool // paths that a mistake is at or below
	told     map[Mistake]bool
	twins    map[string]bool // paths of hosts that stand there twice
	alone    bool            // it is checked by itself: variables may be set where it is used
}

// readFile reads ntl.yaml and finds its mistakes, as far as they can be told
// without any host.
func readFile(name string, env Env) (*parsed, error) {
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
	return parseFile(name, text, env), nil
}

// parseFile is readFile for a text that is there.
func parseFile(name string, text []byte, env Env) *parsed {
	p := &parsed{
		name: name, text: text, env: env,
		faulty: map[string]bool{}, touched: map[string]bool{}, told: map[Mistake]bool{}, twins: map[string]bool{},
	}
	var mistakes []strictyaml.Mistake
	p.places, mistakes = strictyaml.Decode(text, &p.file)
	for _, m := range mistakes {
		p.keep(m.Path, m.Position, m.Text)
	}
	// What could not be read leaves gaps that would be told as mistakes again.
	for _, m := range mistakes {
		p.faulty[m.Path] = true
	}
	if !p.faulty[""] {
		p.check()
	}
	p.sort()
	return p
}

// sort brings the mistakes into the order of the file, and cuts them off where
// nobody reads on.
func (p *parsed) sort() {
	slices.SortStableFunc(p.mistakes, func(a, b Mistake) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	const most = 1000
	if more := len(p.mistakes) - most; more > 1 {
		p.mistakes = p.mistakes[:most+1]
		p.mistakes[most].Text = fmt.Sprintf("%d mistakes more, from here on", more)
	}
}

// keep keeps a mistake, once: what an alias repeats is told where it stands.
func (p *parsed) keep(path string, at strictyaml.Position, text string) {
	for around := path; ; around = parent(around) {
		p.touched[around] = true
		if around == "" {
			break
		}
	}
	m := Mistake{p.name, at.Line, at.Column, text}
	if !p.told[m] {
		p.told[m] = true
		p.mistakes = append(p.mistakes, m)
	}
}

// parent is the path of what a path is in.
func parent(path string) string { return path[:max(strings.LastIndexAny(path, ".["), 0)] }

// wrong keeps a mistake at the place of a path, unless what stands there could
// not be read.
func (p *parsed) wrong(path, format string, args ...any) {
	for around := path; around != ""; around = parent(around) {
		if p.faulty[around] {
			return
		}
	}
	p.keep(path, p.places.At(path), fmt.Sprintf(format, args...))
}

// missing keeps the mistake that a key is not there. Where it might come by a
// merge key, that was told.
func (p *parsed) missing(path, key string) {
	whole := key
	if path != "" {
		whole = path + "." + key
	}
	if !p.faulty[whole] && !p.faulty[path+".<<"] {
		p.wrong(path, "%s is missing", key)
	}
}

// judge keeps an error, with its hint, as a mistake.
func (p *parsed) judge(path string, err error) {
	if err == nil {
		return
	}
	f := orchestrator.Fail(err)
	text := f.Message
	if f.Hint != "" {
		text += "; " + f.Hint
	}
	p.wrong(path, "%s", bare(text))
}

// readable reports whether a section was read far enough to say that something is
// not in it.
func (p *parsed) readable(section, name string) bool {
	_, there := p.places[section]
	return there && !p.faulty[section] && !p.faulty[section+".<<"] && !p.faulty[section+"."+name]
}

func (p *parsed) check() {
	p.checkSection(clientSection, len(p.file.Clients))
	p.checkSection(hsmSection, len(p.file.HSMs))
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
	p.checkTwins()
	p.checkPairs()
}

// checkSection wants a section that every file has. Where it has nothing, links
// that name something of it need not be told so.
func (p *parsed) checkSection(section string, entries int) {
	switch _, there := p.places[section]; {
	case entries > 0 || p.touched[section]:
	case there:
		p.wrong(section, "%s is empty", section)
		p.faulty[section] = true
	default:
		p.missing("", section)
	}
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
	} else if typed, err := ssh.SplitTarget(h.Host); err == nil {
		p.judge(path+".host", checkAddress("the host", typed.Host)) // which the clients then use
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
	if c.Root != "" {
		p.judge(path+".root", (&Link{Root: c.Root}).checkRoot())
	}
	l := Link{ClientAddress: p.address(c), MapHostIP: c.MapHostIP}
	switch {
	case c.Address == "" && l.ClientAddress != "":
		p.judge(path+".host", checkAddress("the host", l.ClientAddress)) // which the HSMs then know it by
	case c.Address != "":
		p.judge(path+".address", l.checkCommonName())
	}
	if c.MapHostIP != "" && l.ClientAddress != "" {
		p.judge(path+".map_host_ip", l.checkMapHostIP())
	}
}

func (p *parsed) checkGroup(path, name string, members Words) {
	p.checkOwnName(path, name)
	if _, both := p.file.Clients[name]; both {
		p.wrong(path, "%s is a client already; a group needs a name of its own", name)
	}
	for i, member := range members {
		at := path + "[" + strconv.Itoa(i) + "]"
		_, client := p.file.Clients[member]
		_, group := p.file.Groups[member]
		switch {
		case client:
		case group:
			p.wrong(at, "%s is a group, and groups do not nest: name its clients", member)
		case p.readable(clientSection, member):
			p.wrong(at, "there is no client %s", member)
		}
	}
}
