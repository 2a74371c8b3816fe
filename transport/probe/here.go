package probe

import (
	"bytes"
	"compress/gzip"
	"debug/elf"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// Here is the ntl-probe of this machine, for others.
type Here struct {
	// Places are whole paths where it may be, in order.
	Places []string
}

// Program is the first one there is that runs on a Linux machine of an
// architecture (as uname -m says), gzipped and in base64. The error says what
// there is instead.
func (h Here) Program(machine string) ([]byte, error) {
	reasons := []string{}
	for _, place := range h.Places {
		text, err := os.ReadFile(place) //nolint:gosec // the places are the caller's
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = runsOn(text, machine)
		}
		if err == nil {
			return pack(text)
		}
		reasons = append(reasons, place+": "+err.Error())
	}
	if len(reasons) == 0 {
		return nil, errors.New("no ntl-probe is installed on the client, nor is there one beside ntl-setup here to bring along")
	}
	return nil, fmt.Errorf("no ntl-probe is installed on the client, and the one here cannot be brought along: %s", strings.Join(reasons, ", ")) //nolint:err113 // for a person
}

// runsOn says why a program is none for a Linux machine of an architecture; nil
// if it is one.
func runsOn(program []byte, machine string) error {
	f, err := elf.NewFile(bytes.NewReader(program))
	if err != nil {
		return errors.New("it is no Linux program")
	}
	want := map[string]elf.Machine{"x86_64": elf.EM_X86_64, "amd64": elf.EM_X86_64, "aarch64": elf.EM_AARCH64, "arm64": elf.EM_AARCH64}[machine]
	switch {
	case want == elf.EM_NONE:
		return fmt.Errorf("there is none for a client of architecture %q", machine) //nolint:err113 // for a person
	case f.Machine != want || f.Class != elf.ELFCLASS64:
		return fmt.Errorf("it is for another architecture than the client's, %s", machine) //nolint:err113 // for a person
	}
	return nil
}

// pack makes of a program what a shell script can carry.
func pack(program []byte) ([]byte, error) {
	var b bytes.Buffer
	text := base64.NewEncoder(base64.StdEncoding, &b)
	packed := gzip.NewWriter(text)
	if _, err := packed.Write(program); err != nil {
		return nil, fmt.Errorf("pack ntl-probe: %w", err)
	}
	if err := errors.Join(packed.Close(), text.Close()); err != nil {
		return nil, fmt.Errorf("pack ntl-probe: %w", err)
	}
	return b.Bytes(), nil
}
