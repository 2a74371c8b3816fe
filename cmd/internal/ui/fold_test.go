package ui

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestFolded(t *testing.T) {
	text := "in order:  create-certificate, send-certificate, add-server\n" +
		"Nothing was changed.\n" +
		"The link is established: NS-web1 reaches partition6.\n" +
		"  add ssl hsmkey <KeyName> -hsmType SAFENET -serialNum 1 -password x\n"
	want := "in order:  create-certificate,\n" +
		"           send-certificate,\n" +
		"           add-server\n" +
		"Nothing was changed.\n" +
		"The link is established: NS-web1\n" +
		"reaches partition6.\n" +
		"  add ssl hsmkey <KeyName> -hsmType SAFENET -serialNum 1 -password x\n"
	got := folded(text, Stream{Width: 34})
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for line := range strings.Lines(got) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 34 && !strings.HasPrefix(line, "  add") {
			t.Errorf("%d columns: %q", n, line)
		}
	}
	if got := folded(text, Stream{}); got != text {
		t.Error("what is no terminal was folded")
	}
}
