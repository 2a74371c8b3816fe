package vtl

import "strings"

// ParseListServers reads the reply of listServers: the servers that the client
// trusts, in vtl's order; an empty list if vtl says that there are none. A line
// that begins like a server's but is not understood is an error.
func ParseListServers(out []byte) ([]string, error) {
	all := lines(out)
	servers, none := []string{}, false
	for _, line := range all {
		rest, ok := after(line, "Server")
		if !ok {
			none = none || saysNone(line)
			continue
		}
		name, ok := serverName(rest)
		if !ok {
			return nil, notUnderstood("listServers", all, "a server's line of unknown form")
		}
		servers = append(servers, name)
	}
	if none == (len(servers) > 0) {
		return nil, notUnderstood("listServers", all, "it names no server, nor says that there is none")
	}
	if !none && said(all) != "" {
		return nil, notUnderstood("listServers", all, "servers and an error")
	}
	return servers, nil
}

// serverName reads what follows "Server": ": 192.0.2.1  HTL required: no" of
// 6.x clients, without the suffix of older ones, with a blank before the colon
// of others.
func serverName(rest string) (string, bool) {
	rest, ok := after(rest, ":")
	words := strings.Fields(rest)
	switch {
	case !ok:
	case len(words) == 1:
		return words[0], true
	case len(words) == 4 && strings.EqualFold(words[1], "HTL") && strings.EqualFold(words[2], "required:"):
		return words[0], true
	}
	return "", false
}

// saysNone knows the sentences for an empty list: "There are no servers
// registered." of listServers, "There are no registered servers" of verify.
func saysNone(line string) bool {
	if text, ok := after(line, "Error:"); ok {
		line = text
	}
	line = strings.ToLower(strings.TrimRight(line, ". "))
	return line == "there are no servers registered" || line == "there are no registered servers"
}
