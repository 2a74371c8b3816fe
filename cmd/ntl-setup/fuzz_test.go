package main

import (
	"slices"
	"strings"
	"testing"
	"unicode"

	"ntl-setup/cmd/internal/ui"
)

// Whatever is typed, the program ends with a status of the contract, says why
// where it refuses, and prints nothing that could steer a terminal.
func FuzzFlags(f *testing.F) {
	for _, args := range [][]string{
		link(), link("-y"), link("plan", "-o", "json"), link("--dry-run", "--deep", "--name", "web1"), {"status"}, {"journal", "x"},
		{"--client", "a b", "--hsm", "[::1", "--partition", "-x"}, link("--timeout", "-1s"), link("--hsm-certificate", "SHA256:00"),
		{"--client=\x1b[31mroot@x", "--hsm=y", "--partition=z"}, {"version", "-o", "json"}, {"completion", "bash"}, {"help", "nothing"}, {"--", "-y"},
	} {
		f.Add(strings.Join(args, "\n"))
	}
	known := []int{ui.ExitOK, ui.ExitFailed, ui.ExitChanges, ui.ExitConflict, ui.ExitUnreachable, ui.ExitDeclined, ui.ExitUsage, ui.ExitInterrupted}
	f.Fuzz(func(t *testing.T, line string) {
		b := newBench(t, &world{holds: true})
		got := b.main(t, strings.Split(line, "\n")...)
		if !slices.Contains(known, got) {
			t.Errorf("exit %d", got)
		}
		said := b.out.String() + b.err.String()
		if got == ui.ExitUsage && strings.TrimSpace(said) == "" {
			t.Error("refused without a word")
		}
		for _, r := range said {
			if unicode.IsControl(r) && r != '\n' && r != '\t' {
				t.Errorf("%q came out: %q", r, said)
				break
			}
		}
	})
}
