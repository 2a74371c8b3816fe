package chrystoki

import (
	"fmt"
	"slices"
	"strings"
)

// context is how many unchanged lines stand around a change.
const context = 3

// maxTable bounds the table of the comparison, in cells. Beyond it, which no
// configuration reaches, all lines between the first and the last difference
// are shown as exchanged.
const maxTable = 1 << 22

// edit is one line of a diff; op is ' ', '-' or '+'. The line keeps its end.
type edit struct {
	op   byte
	text string
}

// Diff is the unified diff that makes want of have, with three lines of
// context, in the form of diff -u; empty when they are the same. Lines are
// remote text and keep their carriage returns, so the view has to make them
// printable. Values of entries that are named like a secret are masked; where
// there are none, patch(1) can apply the result.
func Diff(name string, have, want []byte) string {
	edits := compare(splitLines(have), splitLines(want))
	var b strings.Builder
	for from, to := nextHunk(edits, 0); from < to; from, to = nextHunk(edits, to) {
		if b.Len() == 0 {
			fmt.Fprintf(&b, "--- %s\n+++ %s\n", name, name)
		}
		writeHunk(&b, edits, from, to)
	}
	return b.String()
}

// splitLines cuts a text behind each line feed.
func splitLines(data []byte) []string {
	lines := strings.SplitAfter(string(data), "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// compare lists the lines of both texts, common ones once.
func compare(a, b []string) []edit {
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	edits := make([]edit, 0, len(a)+len(b))
	edits = appendAll(edits, ' ', a[:head])
	edits = appendMiddle(edits, a[head:len(a)-tail], b[head:len(b)-tail])
	return appendAll(edits, ' ', a[len(a)-tail:])
}

func appendAll(edits []edit, op byte, lines []string) []edit {
	for _, line := range lines {
		edits = append(edits, edit{op, line})
	}
	return edits
}

// appendMiddle compares by the longest common subsequence of lines.
func appendMiddle(edits []edit, a, b []string) []edit {
	width := len(b) + 1
	if (len(a)+1)*width > maxTable {
		return appendAll(appendAll(edits, '-', a), '+', b)
	}
	// longest[i*width+j] is the length of it for a[i:] and b[j:].
	longest := make([]int32, (len(a)+1)*width)
	for i, line := range slices.Backward(a) {
		for j := len(b) - 1; j >= 0; j-- {
			at := i*width + j
			if line == b[j] {
				longest[at] = longest[at+width+1] + 1
			} else {
				longest[at] = max(longest[at+width], longest[at+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(a) && j < len(b) {
		switch {
		case a[i] == b[j]:
			edits = append(edits, edit{' ', a[i]})
			i, j = i+1, j+1
		case longest[(i+1)*width+j] >= longest[i*width+j+1]:
			edits = append(edits, edit{'-', a[i]})
			i++
		default:
			edits = append(edits, edit{'+', b[j]})
			j++
		}
	}
	return appendAll(appendAll(edits, '-', a[i:]), '+', b[j:])
}

// nextHunk is the range of edits of the next hunk at or behind start: changes
// with their context, joined where the contexts touch. Empty when none is left.
func nextHunk(edits []edit, start int) (from, to int) {
	first := slices.IndexFunc(edits[start:], isChange)
	if first < 0 {
		return len(edits), len(edits)
	}
	from = max(start, start+first-context)
	last := start + first
	for i := last; i < len(edits) && i-last <= 2*context+1; i++ {
		if isChange(edits[i]) {
			last = i
		}
	}
	return from, min(len(edits), last+1+context)
}

func isChange(e edit) bool { return e.op != ' ' }

// writeHunk writes edits[from:to] with its head.
func writeHunk(b *strings.Builder, edits []edit, from, to int) {
	startA, startB := count(edits[:from])
	lenA, lenB := count(edits[from:to])
	fmt.Fprintf(b, "@@ -%s +%s @@\n", span(startA, lenA), span(startB, lenB))
	for _, e := range edits[from:to] {
		text, whole := strings.CutSuffix(e.text, "\n")
		b.WriteByte(e.op)
		b.WriteString(mask(text) + "\n")
		if !whole {
			b.WriteString("\\ No newline at end of file\n")
		}
	}
}

// count is how many lines of the old and of the new text the edits hold.
func count(edits []edit) (a, b int) {
	for _, e := range edits {
		if e.op != '+' {
			a++
		}
		if e.op != '-' {
			b++
		}
	}
	return a, b
}

// span is "first,count" of a hunk's head; an empty range names the line before
// it, and a count of one is left out.
func span(before, n int) string {
	switch n {
	case 0:
		return fmt.Sprintf("%d,0", before)
	case 1:
		return fmt.Sprint(before + 1)
	}
	return fmt.Sprintf("%d,%d", before+1, n)
}
