package transporttest

import (
	"path"

	"ntl-setup/transport"
)

// program finds a program: words are its name and the directories. The search
// path is /usr/bin.
func (h *FakeHost) program(words []string) transport.Fact {
	for _, dir := range append(words[1:], "/usr/bin") {
		name := path.Join(dir, words[0])
		if f := h.find(name); f != nil && f.mode.IsRegular() && f.mode&0o111 != 0 {
			return transport.Fact{Found: name}
		}
	}
	return transport.Fact{Missing: true}
}
