package chrystoki

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// follow applies a unified diff, strictly: every context and removed line must
// stand where the hunk says.
func follow(t *testing.T, have, diff string) string {
	t.Helper()
	old, done := splitLines([]byte(have)), 0
	var b strings.Builder
	lines := strings.SplitAfter(diff, "\n")
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		switch {
		case line == "", strings.HasPrefix(line, "--- ") && i == 0, strings.HasPrefix(line, "+++ ") && i == 1:
			continue
		case strings.HasPrefix(line, "@@ "):
			for start := hunkStart(t, line); done < start; done++ {
				b.WriteString(old[done])
			}
			continue
		}
		text := line[1:]
		if i+1 < len(lines) && strings.HasPrefix(lines[i+1], `\ No newline`) {
			text = strings.TrimSuffix(text, "\n")
			i++
		}
		if line[0] != '+' {
			if done >= len(old) || old[done] != text {
				t.Fatalf("line %q of the diff does not stand at %d of %q", line, done, have)
			}
			done++
		}
		if line[0] != '-' {
			b.WriteString(text)
		}
	}
	return b.String() + strings.Join(old[done:], "")
}

// hunkStart is how many lines of the old text precede a hunk.
func hunkStart(t *testing.T, head string) int {
	t.Helper()
	var old, new string
	if _, err := fmt.Sscanf(head, "@@ -%s +%s @@\n", &old, &new); err != nil {
		t.Fatalf("hunk head %q: %v", head, err)
	}
	first, count, _ := strings.Cut(old, ",")
	n, err := strconv.Atoi(first)
	if err != nil {
		t.Fatal(err)
	}
	if count == "0" {
		return n
	}
	return n - 1
}
