package config

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
)

// largestReport bounds a report: some ten thousand links.
const largestReport = 256 << 20

// retryFlag is the flag that names a report.
const retryFlag = "--retry-failed"

// report is what an earlier run (-o json) told of its links: those that it calls
// anything but established.
type report struct {
	name   string
	failed []string          // what they are called, in its order, each once
	ids    map[string]bool   // client/hsm, as the file calls them
	hosts  map[string]string // of links without an id: reportKey, and what they are called
}

// readReport reads a report; nil without a name.
func readReport(name string) (*report, error) {
	if name == "" {
		return nil, nil //nolint:nilnil // none is wanted, and that is no error
	}
	info, err := os.Stat(name)
	if err != nil {
		return nil, wrong("%s: %w", retryFlag, err)
	}
	if info.Size() > largestReport {
		return nil, wrong("%s: %s is larger than %d bytes", retryFlag, name, largestReport)
	}
	text, err := os.ReadFile(name) //nolint:gosec // the user names the file
	if err != nil {
		return nil, wrong("%s: %w", retryFlag, err)
	}
	var document struct {
		Schema string `json:"schema"`
		Links  []struct {
			ID     string `json:"id"`
			Client string `json:"client"`
			HSM    string `json:"hsm"`
			Name   string `json:"name"`
			Result string `json:"result"`
		} `json:"links"`
	}
	if err := json.Unmarshal(text, &document); err != nil || !strings.HasPrefix(document.Schema, "ntl-setup/") || document.Links == nil {
		return nil, wrong("%s: %s is no report of this program", retryFlag, name).WithHint("ntl-setup apply -f FILE -o json prints one")
	}
	r := &report{name: name, ids: map[string]bool{}, hosts: map[string]string{}}
	seen := map[string]bool{}
	for _, l := range document.Links {
		if l.Result == "established" {
			continue
		}
		called := l.ID
		if called != "" {
			r.ids[called] = true
		} else {
			called = fmt.Sprintf("%s with %s (%s)", l.Client, l.HSM, l.Name)
			r.hosts[reportKey(l.Client, l.HSM, l.Name)] = called
		}
		if !seen[called] {
			seen[called] = true
			r.failed = append(r.failed, called)
		}
	}
	return r, nil
}

// reportKey is what a link without an id is known again by. Whoever mends an
// address or a port changes it, so it counts only where there is nothing better.
func reportKey(client, hsm, name string) string { return client + "\n" + hsm + "\n" + name }

// find is what the report calls a link that it calls unsuccessful; empty of any
// other.
func (r *report) find(l Link) string {
	if r.ids[l.ID] {
		return l.ID
	}
	return r.hosts[reportKey(l.Client.Name(), l.HSM.Name(), l.Name)]
}

// choose keeps of the links those that the report calls unsuccessful, and says
// what becomes of its others. there are the ids of all links of the file, also of
// those that --only and --skip leave out.
func (r *report) choose(c *Config, file string, there map[string]bool) error {
	tried := map[string]bool{}
	c.Links = slices.DeleteFunc(c.Links, func(l Link) bool {
		called := r.find(l)
		tried[called] = true
		return called == ""
	})
	var gone, left []string
	for _, called := range r.failed {
		switch {
		case tried[called]:
		case there[called]:
			left = append(left, called)
		default:
			gone = append(gone, called)
		}
	}
	if len(r.failed) == 0 {
		c.Notes = append(c.Notes, fmt.Sprintf("%s: %s calls no link unsuccessful, so there is nothing to do", retryFlag, r.name))
		return nil
	}
	others := ""
	if len(gone) > 0 {
		others += "; not in " + file + " any more: " + someOf(gone)
	}
	if len(left) > 0 {
		others += "; left out by --only or --skip: " + someOf(left)
	}
	if len(c.Links) == 0 {
		return wrong("%s: none of the unsuccessful links of %s can be tried%s", retryFlag, r.name, others).
			WithHint("%s takes the report (-o json) of a run over the same file", retryFlag)
	}
	c.Notes = append(c.Notes, fmt.Sprintf("%s: %d of the %d unsuccessful links of %s are tried%s", retryFlag, len(c.Links), len(r.failed), r.name, others))
	return nil
}

// someOf are the first names of a list, and how many more there are.
func someOf(names []string) string {
	const most = 20
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// setOf is a list of words to be looked up; nil for nil.
func setOf(words []string) map[string]bool {
	if words == nil {
		return nil
	}
	set := map[string]bool{}
	for _, w := range words {
		set[w] = true
	}
	return set
}
