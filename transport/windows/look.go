package windows

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"ntl-setup/transport"
)

// headers are the PEM headers of private keys that are told apart.
func headers() []string {
	return []string{"RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "PRIVATE KEY"}
}

// renderLook makes as few command lines as hold the questions, and says which of
// them cannot be asked and why.
func renderLook(mark string, queries []transport.Query) (lines []string, refused map[int]error) {
	refused = map[int]error{}
	for i, q := range queries {
		text, err := lookText(fmt.Sprintf("echo %s %d ", mark, i), q)
		if err != nil {
			refused[i] = err
			continue
		}
		if n := len(lines); n > 0 && len(lines[n-1])+len(text)+1 < longestLine {
			lines[n-1] += "&" + text
		} else {
			lines = append(lines, text)
		}
	}
	return lines, refused
}

// lookText is the part of a line that answers one question. say begins a
// command that marks an answer; what is printed behind it belongs to that. An
// `if` swallows the rest of its line, hence the parentheses; they are never
// within one another, which the cmd.exe of Wine does not bear.
func lookText(say string, q transport.Query) (string, error) {
	switch q.Kind {
	case transport.QuerySystem:
		return say + "environment&set ChrystokiConfigurationPath 2>nul", nil
	case transport.QueryAddresses:
		return say + "addresses&ipconfig 2>nul", nil
	case transport.QueryFile, transport.QueryDir, transport.QueryKey, transport.QueryVtl, transport.QueryProcesses:
		return lookAtPath(say, q)
	default:
		return "", fmt.Errorf("%s is not asked of a Windows machine", q.Kind)
	}
}

// lookAtPath is lookText for what is about a file. Of a file that is missing no
// more is asked than that; what else is told of it counts for nothing.
func lookAtPath(say string, q transport.Query) (string, error) {
	if err := checkPath(q.Path); err != nil {
		return "", err
	}
	p := native(q.Path)
	inside := native(q.Path + "/*")
	kind := say + "asked&(if not exist " + p + " " + say + "missing)&(if exist " + inside + " " + say + "directory)"
	switch q.Kind {
	case transport.QueryFile:
		if strings.HasSuffix(strings.ToLower(q.Path), "key.pem") {
			return "", errors.New("a private key is not read")
		}
		return kind + "&" + whether("PRIVATE KEY-----", p, say+"private"), nil
	case transport.QueryDir:
		return kind + "&" + say + "names&dir /b /a " + inside + " 2>nul", nil
	case transport.QueryKey:
		kind += "&type " + p + " >nul 2>nul&(if errorlevel 1 " + say + "unreadable)&" + whether("ENCRYPTED", p, say+"encrypted")
		for i, header := range headers() {
			search := whether("-----BEGIN "+header+"-----", p, say+"header "+header)
			if i > 0 { // the first that is found counts; no more is searched for
				search = strings.Replace(search, "(if exist "+p+" ", "(if errorlevel 1 ", 1)
			}
			kind += "&" + search
		}
		return kind, nil
	case transport.QueryVtl:
		run, err := program(append([]string{q.Path}, q.ArgList()...))
		return kind + "&" + say + "data&(if exist " + p + " " + run + ")", err
	default:
		return kind + "&" + say + "tasks&(if exist " + p + ` tasklist /fi "imagename eq ` + path.Base(q.Path) + `" /fo csv /nh 2>&1)&(if errorlevel 1 ` + say + "failed)", nil
	}
}

// whether searches a file for a text and says so if it is there. The text found
// is not printed: it may be all of a key.
func whether(text, file, say string) string {
	return "(if exist " + file + ` find "` + text + `" ` + file + " >nul 2>nul)&(if not errorlevel 1 " + say + ")"
}
