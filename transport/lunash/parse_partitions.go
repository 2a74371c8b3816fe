package lunash

import (
	"regexp"
	"strings"
)

var (
	tableRule    = regexp.MustCompile(`(?m)^[ \t]*={3,}[= \t]*\r?$`)
	noPartitions = regexp.MustCompile(`(?i)\b(?:there are )?no partitions\b`)
	versionWord  = regexp.MustCompile(`\bVersion\b`)
	serialFirst  = regexp.MustCompile(`^\d{4,}\b`)

	// A row: the serial number, a name that may hold blanks, [the partition's
	// version,] objects, total, used, free. A tab after the last number begins
	// another row: captures exist where two rows share a line.
	plainRow   = regexp.MustCompile(`^(\d{4,20})[ \t]+(\S.*?)` + fourNumbers + rowEnd)
	versionRow = regexp.MustCompile(`^(\d{4,20})[ \t]+(\S.*?)[ \t]+\S+` + fourNumbers + rowEnd)
)

const (
	fourNumbers = `[ \t]+\d+[ \t]+\d+[ \t]+\d+[ \t]+\d+`
	rowEnd      = `[ ]*(?:\t[ \t]*|$)`
)

// ParsePartitions reads the body of `partition list`. The header decides
// whether rows have a version column; a line that begins like a row and is none
// is an error, so that no partition is lost in silence.
func ParsePartitions(text string) ([]Partition, error) {
	rule := tableRule.FindStringIndex(text)
	if rule == nil {
		if noPartitions.MatchString(text) {
			return nil, nil
		}
		return nil, notUnderstood("list of partitions", text)
	}
	row := plainRow
	if versionWord.MatchString(text[:rule[0]]) {
		row = versionRow
	}
	var list []Partition
	for line := range strings.Lines(text[rule[1]:]) {
		for rest := strings.TrimSpace(line); serialFirst.MatchString(rest); {
			m := row.FindStringSubmatchIndex(rest)
			if m == nil {
				return nil, notUnderstood("whole row of partitions", rest)
			}
			list = append(list, Partition{Serial: rest[m[2]:m[3]], Name: rest[m[4]:m[5]]})
			rest = rest[m[1]:]
		}
	}
	if len(list) == 0 && !noPartitions.MatchString(text) {
		return nil, notUnderstood("rows of partitions", text)
	}
	return list, nil
}
