package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// retried are the links that a report leaves, and what is said of it.
func retried(t *testing.T, report string, more Flags) (ids []string, notes string, err error) {
	t.Helper()
	name, env := house(t, goodFile)
	more.File, more.RetryFailed, more.Timeout, more.StepTimeout = name, filepath.Join(t.TempDir(), "report.json"), DefaultTimeout, DefaultStepTimeout
	if err := os.WriteFile(more.RetryFailed, []byte(report), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := more.Resolve(env)
	for _, l := range c.Links {
		ids = append(ids, l.ID)
	}
	return ids, strings.Join(c.Notes, "\n"), err
}

// A link of a report is known again by what the file calls it; its address, port
// and name are what somebody has mended since. Only where a report has no such
// names do those count.
func TestRetryFailed(t *testing.T) {
	const head = `{"schema":"ntl-setup/1","links":[`
	for name, c := range map[string]struct {
		report string
		flags  Flags
		want   []string
		notes  string
	}{
		"mended": {
			report: head + `{"id":"web1/hsm1","client":"root@203.0.113.9:26999","hsm":"x@y:1","name":"old","result":"unreachable"},{"id":"web1/hsm2","result":"established"}]}`,
			want:   []string{"web1/hsm1"}, notes: "1 of the 1 unsuccessful links of ",
		},
		"every result but one": {
			report: head + `{"id":"web1/hsm1","result":"changes"},{"id":"web1/hsm2","result":"conflict"},{"id":"web2/hsm1","result":"interrupted"},{"id":"web2/hsm2","result":"declined"},{"id":"web3/hsm1","result":"established"}]}`,
			want:   []string{"web1/hsm1", "web1/hsm2", "web2/hsm1", "web2/hsm2"}, notes: "4 of the 4 ",
		},
		"no ids": {
			report: head + `{"client":"root@192.0.2.1:22","hsm":"hsm_admin@192.0.2.101:2222","name":"192.0.2.1","result":"failed"},{"client":"a","hsm":"b","name":"c","result":"failed"}]}`,
			want:   []string{"web1/hsm1"}, notes: "any more: a with b (c)",
		},
		"gone": {
			report: head + `{"id":"web9/hsm1","result":"failed"},{"id":"web9/hsm1","result":"failed"},{"id":"web3/hsm1","result":"failed"}]}`,
			want:   []string{"web3/hsm1"}, notes: "1 of the 2 unsuccessful links of ",
		},
		"gone, by name": {
			report: head + `{"id":"web9/hsm1","result":"failed"},{"id":"web3/hsm1","result":"failed"}]}`,
			want:   []string{"web3/hsm1"}, notes: "any more: web9/hsm1",
		},
		"left out": {
			report: head + `{"id":"web1/hsm1","result":"failed"},{"id":"web3/hsm1","result":"failed"}]}`,
			flags:  Flags{Skip: []string{"web3"}},
			want:   []string{"web1/hsm1"}, notes: "left out by --only or --skip: web3/hsm1",
		},
		"all done":    {report: head + `{"id":"web1/hsm1","result":"established"}]}`, notes: "so there is nothing to do"},
		"nothing run": {report: head + `]}`, notes: "so there is nothing to do"},
	} {
		ids, notes, err := retried(t, c.report, c.flags)
		if err != nil || !slices.Equal(ids, c.want) || !strings.Contains(notes, c.notes) {
			t.Errorf("%s: %v, %q, %v; want %v, %q", name, ids, notes, err, c.want, c.notes)
		}
	}
	for name, report := range map[string]string{
		"all gone":       head + `{"id":"web9/hsm1","result":"failed"}]}`,
		"another kind":   `{"schema":"other/1","links":[]}`,
		"not of ours":    `{"schema":"ntl-setup/1"}`,
		"damaged":        head,
		"empty":          "",
		"something else": "[]",
	} {
		if ids, _, err := retried(t, report, Flags{}); err == nil {
			t.Errorf("%s: %v was taken", name, ids)
		} else if name == "all gone" && !strings.Contains(err.Error(), "any more: web9/hsm1") {
			t.Errorf("%v", err)
		}
	}
}

// The bytes that links were made of are kept, and a saved plan says which of them
// it is about.
func TestLinksOfAPlan(t *testing.T) {
	name, env := house(t, goodFile)
	f := Flags{File: name, Timeout: DefaultTimeout, StepTimeout: DefaultStepTimeout}
	c, err := f.Resolve(env)
	if err != nil || string(c.FileText) != goodFile || len(c.Links) != 5 {
		t.Fatalf("%v: %d links, of %q", err, len(c.Links), c.FileText)
	}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	for want, links := range map[int][]string{5: nil, 2: {"web1/hsm1", "web3/hsm1"}, 0: {}} {
		f.FileText, f.Links = c.FileText, links
		if again, err := f.Resolve(env); err != nil || len(again.Links) != want {
			t.Errorf("%v: %d links, %v", links, len(again.Links), err)
		}
	}
}
