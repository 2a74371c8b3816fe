package vtl

import "strings"

// Slot is a partition that the client can reach.
type Slot struct {
	// Slot is the number, or "-" where vtl prints that. Numbers shift when
	// servers and partitions come and go: identify a partition by its serial.
	Slot   string
	Serial string // the partition's serial number, decimal
	Label  string // the partition's label; empty before it is initialised. Remote text
}

// Verified is what verify found.
type Verified struct {
	Slots []Slot
	// Reason is the text of vtl's "Error:" line, printable; the usual company
	// of an empty list of slots.
	Reason string
}

// ParseVerify reads the reply of verify: the partitions of all servers together.
// Which server a partition is from cannot be told from it, nor that one of
// several servers is down. No partition and an "Error:" is an answer, not an
// error; a table without rows is not understood.
func ParseVerify(out []byte) (Verified, error) {
	all := lines(out)
	v := Verified{Reason: said(all)}
	head := -1
	for i, line := range all {
		if !isHeader(line) {
			continue
		}
		if head >= 0 {
			return Verified{}, notUnderstood("verify", all, "two tables")
		}
		head = i
	}
	if head < 0 {
		if v.Reason == "" {
			return Verified{}, notUnderstood("verify", all, "neither a table of slots nor an error")
		}
		return v, nil
	}
	if head+1 == len(all) || !isRuler(all[head+1]) {
		return Verified{}, notUnderstood("verify", all, "the table has no ruler")
	}
	for _, line := range all[head+2:] {
		if line == "" {
			break
		}
		slot, ok := parseRow(line)
		if !ok {
			return Verified{}, notUnderstood("verify", all, "a row of unknown form")
		}
		v.Slots = append(v.Slots, slot)
	}
	if len(v.Slots) == 0 {
		return Verified{}, notUnderstood("verify", all, "the table has no rows")
	}
	return v, nil
}

// isHeader knows the table's head whatever stands between its words.
func isHeader(line string) bool {
	return strings.EqualFold(strings.Join(strings.Fields(line), " "), "slot serial # label")
}

// isRuler knows the line of '=' under the head.
func isRuler(line string) bool {
	return line != "" && strings.Trim(line, "= \t") == ""
}

// parseRow reads "slot serial label"; the label is the rest of the line, and
// may hold blanks or be empty.
func parseRow(line string) (Slot, bool) {
	number, rest := word(line)
	serial, label := word(rest)
	ok := (number == "-" || isNumber(number)) && isNumber(serial)
	return Slot{Slot: number, Serial: serial, Label: strings.TrimSpace(label)}, ok
}

// word is what stands before the first blank or TAB, and the text behind it.
func word(line string) (first, rest string) {
	i := strings.IndexAny(line, " \t")
	if i < 0 {
		return line, ""
	}
	return line[:i], strings.TrimLeft(line[i:], " \t")
}

func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
