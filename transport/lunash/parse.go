package lunash

import (
	"regexp"
	"strings"

	"ntl-setup/transport"
)

// The parsers below read replies by their shape. Each accepts either the shape
// of a full answer or the sentence that says there is nothing; a text with
// neither is an error of class protocol, never an empty answer.

var (
	clientRow  = regexp.MustCompile(`(?i)(?:^|\t)[ \t]*registered client[ \t]+\d+[ \t]*:`)
	noClients  = regexp.MustCompile(`(?i)\bno (?:registered clients|clients (?:are |have been )?registered)`)
	fieldLine  = regexp.MustCompile(`^[ \t]*([A-Za-z][A-Za-z ]{0,40}?)[ \t]*:[ \t]*(.*?)[ \t]*$`)
	printWord  = regexp.MustCompile(`(?i)fingerprint\b[^:=\n]*[:=]\s*([^\n]*)`)
	sumLabel   = regexp.MustCompile(`(?i)^(?:md5|sha-?1|sha-?256)(?:[ \t:=]+)`)
	pairedHex  = regexp.MustCompile(`^[0-9A-Fa-f]{2}(?:[:\- ]?[0-9A-Fa-f]{2})*$`)
	separators = strings.NewReplacer(":", "", "-", "", " ", "")
)

// notUnderstood is an answer of no known shape.
func notUnderstood(what, text string) *transport.Error {
	seen := shorten(text)
	if seen == "" {
		seen = "nothing"
	}
	return transport.Errorf(transport.ClassProtocol, "", "the appliance's answer holds no %s: it said %s", what, seen)
}

// ParseClients reads the body of `client list`: the names, in its order. A name
// is everything after the first colon of its row; it may hold blanks.
func ParseClients(text string) ([]string, error) {
	var names []string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		rows := clientRow.FindAllStringIndex(line, -1)
		for i, row := range rows {
			end := len(line)
			if i+1 < len(rows) {
				end = rows[i+1][0] // two rows on one line, joined by a tab
			}
			name := strings.TrimSpace(line[row[1]:end])
			if name == "" {
				return nil, notUnderstood("name in a row of the client list", text)
			}
			names = append(names, name)
		}
	}
	if len(names) == 0 && !noClients.MatchString(text) {
		return nil, notUnderstood("list of clients", text)
	}
	return names, nil
}

// ParseClient reads the body of `client show`. Name, address and the line of
// partitions must all be there; other lines (HTL, OTT) are passed over.
func ParseClient(text string) (Client, error) {
	var c Client
	var field, ip, host, partitions string
	listed := false
	for line := range strings.Lines(text) {
		m := fieldLine.FindStringSubmatch(strings.TrimRight(line, "\r\n"))
		if m == nil {
			if field == "partitions" && strings.Contains(line, `"`) {
				partitions += " " + strings.TrimSpace(line) // a list over several lines
			} else {
				field = ""
			}
			continue
		}
		field = strings.ToLower(strings.ReplaceAll(m[1], " ", ""))
		switch field {
		case "clientid":
			c.Name = m[2]
		case "ipaddress":
			ip = m[2]
		case "hostname":
			host = m[2]
		case "partitions":
			partitions, listed = m[2], true
		}
	}
	c.Address = ip
	if ip == "" {
		c.Address, c.ByHostname = host, true
	}
	names, ok := splitNames(partitions)
	if c.Name == "" || c.Address == "" || !listed || !ok {
		return Client{}, notUnderstood("description of a client", text)
	}
	c.Partitions = names
	return c, nil
}

// splitNames reads `"a", "b c"`, `a, b` or `<none>`.
func splitNames(list string) (names []string, ok bool) {
	rest := strings.TrimSpace(list)
	if rest == "" || strings.EqualFold(rest, "<none>") {
		return nil, true
	}
	for {
		var name string
		if after, quoted := strings.CutPrefix(rest, `"`); quoted {
			name, rest, ok = strings.Cut(after, `"`)
			if !ok {
				return nil, false // the line was cut
			}
		} else {
			at := strings.IndexByte(rest, ',')
			if at < 0 {
				at = len(rest)
			}
			name, rest = strings.TrimSpace(rest[:at]), rest[at:]
		}
		if name == "" || strings.ContainsAny(name, `"<>`) {
			return nil, false
		}
		names = append(names, name)
		rest = strings.TrimSpace(rest)
		if rest == "" {
			return names, true
		}
		if after, more := strings.CutPrefix(rest, ","); more {
			if rest = strings.TrimSpace(after); rest == "" {
				return nil, false // a comma announces one more
			}
		} else if rest[0] != '"' {
			return nil, false
		}
	}
}

// ParseDigest reads the body of `client fingerprint`. Where several digests are
// printed, the longest of a known kind counts.
func ParseDigest(text string) (Digest, error) {
	var best Digest
	for _, m := range printWord.FindAllStringSubmatch(text, -1) {
		if d := digestOf(strings.TrimSpace(m[1])); best.Text == "" || len(d.Sum) > len(best.Sum) {
			best = d
		}
	}
	if best.Text == "" {
		return Digest{}, notUnderstood("certificate fingerprint", text)
	}
	return best, nil
}

// digestOf tells the kind of a printed digest by its length.
func digestOf(printed string) Digest {
	d := Digest{Text: printed}
	value := sumLabel.ReplaceAllString(printed, "")
	if !pairedHex.MatchString(value) {
		return d
	}
	sum := strings.ToLower(separators.Replace(value))
	switch len(sum) {
	case 2 * 16:
		d.Algorithm = "MD5"
	case 2 * 20:
		d.Algorithm = "SHA-1"
	case 2 * 32:
		d.Algorithm = "SHA-256"
	default:
		return d
	}
	d.Sum = sum
	return d
}
