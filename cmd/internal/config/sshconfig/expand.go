package sshconfig

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// path adds a path whose ~, %tokens and ${variables} are replaced, once.
func (e *evaluator) path(text string, list *[]string) error {
	text, err := e.tilde(text)
	if err != nil {
		return err
	}
	if text, err = e.variables(text); err != nil {
		return err
	}
	if text, err = e.tokens(text, e.all()); err != nil {
		return err
	}
	if !slices.Contains(*list, text) {
		*list = append(*list, text)
	}
	return nil
}

// tilde replaces a leading ~ by the home directory.
func (e *evaluator) tilde(path string) (string, error) {
	if path == "" || path[0] != '~' {
		return path, nil
	}
	if path != "~" && !strings.HasPrefix(path[1:], "/") && !strings.HasPrefix(path[1:], string(filepath.Separator)) {
		return "", fmt.Errorf("somebody else's home directory is not known here: %s", path)
	}
	return e.query.Home + path[1:], nil
}

// variables replaces ${NAME}.
func (e *evaluator) variables(text string) (string, error) {
	var out strings.Builder
	for {
		before, after, found := strings.Cut(text, "${")
		out.WriteString(before)
		if !found {
			return out.String(), nil
		}
		name, rest, closed := strings.Cut(after, "}")
		set := e.query.Getenv(name)
		if !closed || set == "" {
			return "", fmt.Errorf("the environment variable %s is not set", name)
		}
		out.WriteString(set)
		text = rest
	}
}

// all are the tokens of paths, but for those that take a connection or a look at
// this machine.
func (e *evaluator) all() map[byte]string {
	port := e.query.Port
	if v := e.values["port"]; port == 0 && len(v) > 0 {
		port, _ = strconv.Atoi(v[0].words[0]) // a wrong one is warned about elsewhere
	}
	alias := e.query.Host
	if v := e.values["hostkeyalias"]; len(v) > 0 {
		alias = v[0].words[0]
	}
	return map[byte]string{
		'd': e.query.Home, 'h': strings.ToLower(e.hostName()), 'k': alias, 'n': e.query.Host,
		'p': strconv.Itoa(cmp.Or(port, 22)), 'r': e.user(), 'u': e.query.Local,
	}
}

// tokens replaces %x; %% is a percent sign.
func (e *evaluator) tokens(text string, known map[byte]string) (string, error) {
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '%' {
			out.WriteByte(text[i])
			continue
		}
		if i++; i == len(text) {
			return "", errors.New("a % at the end stands for nothing")
		}
		replacement, ok := known[text[i]]
		switch {
		case text[i] == '%':
			out.WriteByte('%')
		case !ok:
			return "", fmt.Errorf("%%%c stands for nothing that is known here", text[i])
		default:
			out.WriteString(replacement)
		}
	}
	return out.String(), nil
}
