package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ntl-setup/cmd/internal/ui"
	"ntl-setup/fixtures/lab"
)

// A new link takes five commands of its own on the appliance, and what is the
// same for all of them is asked once, over one session.
func TestCommandsOfNewLinks(t *testing.T) {
	t.Parallel()
	sites := sitesFor(t, 3, lab.Options{Kind: lab.Linux})
	hsm := sites[0]
	_, words := fleetOf(t, sites)
	logins := loginsOf(t, hsm)
	b := dialling(t)
	if got := b.main(t, append([]string{"apply", "-y"}, words...)...); got != ui.ExitOK {
		t.Fatalf("exit %d\n%s", got, b.err.String())
	}
	if n := loginsOf(t, hsm) - logins; n != 1 {
		t.Errorf("%d logins", n)
	}
	commands, err := hsm.Commands()
	if err != nil {
		t.Fatal(err)
	}
	of, once := map[string][]string{}, map[string]int{}
	for _, c := range commands {
		_, line, _ := strings.Cut(c, "client ")
		verb, rest, _ := strings.Cut(line, " ")
		name, named := "", false
		if _, rest, named = strings.Cut(rest, "-client "); named {
			name, _, _ = strings.Cut(rest, " ")
		}
		switch {
		case named:
			of[name] = append(of[name], verb)
		case !strings.Contains(c, "scp "):
			once[c[strings.LastIndexByte(c, '\t')+1:]]++
		}
	}
	five := []string{"register", "show", "fingerprint", "assignPartition", "show"}
	if diff := cmp.Diff(map[string][]string{"NS-web0": five, "NS-web1": five, "NS-web2": five}, of); diff != "" {
		t.Error(diff)
	}
	for _, command := range []string{"client list", "partition list", "status date", "ntls ipcheck show"} { // the preflight's too
		if _, asked := once[command]; !asked {
			t.Errorf("never %s", command)
		}
	}
	for command, n := range once {
		if n != 1 {
			t.Errorf("%d times %s", n, command)
		}
	}
}
