package lunash

import (
	"context"
	"net/netip"
	"regexp"
	"strings"
)

// HostIP is a row of `client hostip show`: an address that the appliance takes
// a client from that is registered by host name, whatever its DNS says.
type HostIP struct {
	// Names are the texts of the row that may be the client's: its name on the
	// appliance, its host name, or both. Remote text, which may hold blanks.
	Names []string
	// Address is the IP address that the client is mapped to.
	Address netip.Addr
}

// HostIPs is `client hostip show`.
func (a *appliance) HostIPs(ctx context.Context) ([]HostIP, error) {
	return read(ctx, a, hostipShow, Cmd("client", "hostip", "show"), ParseHostIPs)
}

// MapHostIP is `client hostip map`.
func (a *appliance) MapHostIP(ctx context.Context, client, address string) error {
	return a.change(ctx, hostipMap, MapHostIPLine(client, address))
}

// No public source shows these answers, so that they are read by what they must
// hold: names beside addresses. The sentences are taken loosely for the same
// reason; a second look decides what is there, not they.
var (
	hostipOK      = regexp.MustCompile(`(?im)^[ \t]*'?client hostip map'?[ \t]+successful\b|\bmapp(?:ed|ing)\b[^\n]*\b(?:success|added|created)|\bsuccess[^\n]*\bmapp(?:ed|ing)\b`)
	alreadyMapped = regexp.MustCompile(`(?i)already (?:been )?mapped|\bmapping\b` + within + `already|already` + within + `\bmapping\b|OBJECT_ALREADY_EXISTS`)
	noHostIPs     = regexp.MustCompile(`(?i)\b(?:no|not any)\b[^\n]*\b(?:mapp\w*|mapped|hostip\w*|entries|clients?)\b|\bnone\b|\bmapping\w*[^\n]*\bempty\b`)

	cellBorder = regexp.MustCompile(`\t|[ ]{2,}|[ \t]+(?:->|=>|\|)[ \t]+|[ \t]*\|[ \t]*`)
	labelLead  = regexp.MustCompile(`(?i)^(?:(?:registered|clients?|names?|ids?|ips?|addr|address|hosts?|clientid|clientname|hostname|hostip|ipaddress|mapped|mapping|to|\d+)[ \t]*)+[:=](?:[ \t]+|$)`)
	labelTail  = regexp.MustCompile(`(?i)(?:^|[ \t]+)(?:(?:is|are)[ \t]+)?(?:now[ \t]+)?(?:mapped[ \t]+to|to|->|=>|[=:,(]|(?:ip[ \t]*)?(?:addr|address)[ \t]*[:=]?|ip[ \t]*[:=]?)[ \t]*$|[,;:=][ \t]*$`)
	onlyDigits = regexp.MustCompile(`^\d+[.:)]?$`)
	likeIPv4   = regexp.MustCompile(`(?:^|[^0-9.])\d{1,3}(?:\.\d{1,3}){3}(?:$|[^0-9.])`)
)

// ParseHostIPs reads the body of `client hostip show`. A line with an address
// is a row, whose names stand beside it or in the lines before it; one whose
// names cannot be told, or that has two addresses, makes the whole answer one
// that is not understood, so that no mapping is overlooked.
func ParseHostIPs(text string) ([]HostIP, error) {
	var rows []HostIP
	var before []string // names in the lines since the last row
	table := false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case line == "":
			before = nil
			continue
		case isRule(line):
			table, before = true, nil
			continue
		}
		address, left, right, count := cutAddress(line)
		if count == 0 && !likeIPv4.MatchString(line) {
			before = append(before, nameCells(line)...)
			continue
		}
		names := append(nameCells(left), nameCells(right)...)
		if len(names) == 0 {
			names = before
		}
		if before = nil; count != 1 || len(names) == 0 {
			return nil, notUnderstood("list of host names and their addresses", text)
		}
		rows = append(rows, HostIP{Names: names, Address: address})
	}
	if len(rows) == 0 && !table && !noHostIPs.MatchString(text) {
		return nil, notUnderstood("list of host names and their addresses", text)
	}
	return rows, nil
}

// isRule knows a line under a table's head.
func isRule(line string) bool {
	return len(line) >= 3 && strings.Trim(line, "-=+| \t") == ""
}

// cutAddress finds the word of a line that is an IP address, and the text on
// both sides of it; count is how many there are.
func cutAddress(line string) (address netip.Addr, left, right string, count int) {
	for i := 0; i < len(line); {
		end := strings.IndexAny(line[i:], " \t")
		if end < 0 {
			end = len(line) - i
		}
		if a, err := netip.ParseAddr(strings.Trim(line[i:i+end], `()[]<>"',;|=.`)); err == nil {
			if count++; count == 1 {
				address, left, right = a, line[:i], line[i+end:]
			}
		}
		i += end + 1
	}
	return address, left, right, count
}

// nameCells are the texts of a part of a row without the words around them:
// "Client Name: web1" and "web1 is mapped to" are both web1.
func nameCells(part string) []string {
	var cells []string
	for _, cell := range cellBorder.Split(strings.TrimSpace(part), -1) {
		cell = strings.TrimSpace(cell)
		for cell != "" {
			bare := strings.Trim(labelTail.ReplaceAllString(labelLead.ReplaceAllString(cell, ""), ""), " \t\"'")
			if bare == cell {
				break
			}
			cell = bare
		}
		if cell != "" && !onlyDigits.MatchString(cell) {
			cells = append(cells, cell)
		}
	}
	return cells
}
