//go:build linux && cgo

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"ntl-setup/transport/probe"
)

// softHSM is SoftHSM2 with tokens of its own: the library, the environment set.
func softHSM(t *testing.T, labels ...string) string {
	t.Helper()
	var library string
	for _, place := range []string{"/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so"} {
		if _, err := os.Stat(place); err == nil {
			library = place
			break
		}
	}
	if library == "" {
		t.Fatal("there is no libsofthsm2.so: install the package softhsm2")
	}
	dir := t.TempDir()
	conf := filepath.Join(dir, "softhsm2.conf")
	if err := os.WriteFile(conf, []byte("directories.tokendir = "+dir+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOFTHSM2_CONF", conf)
	for _, label := range labels {
		cmd := exec.CommandContext(t.Context(), "softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", "87654321", "--pin", "12345678")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("softhsm2-util (package softhsm2): %v: %s", err, out)
		}
	}
	return library
}

// A library that others wrote: several tokens, labels with blanks in and behind
// them, and the slot that waits for the next token.
func TestSoftHSM(t *testing.T) {
	d := asked(t, softHSM(t, "part1", "a label  with blanks   ", "Grüße"))
	if d.Result != probe.OK || d.About == nil || d.About.Manufacturer != "SoftHSM" || len(d.Slots) != 4 {
		t.Fatalf("%+v", d)
	}
	var labels []string
	for _, s := range d.Slots[:3] {
		labels = append(labels, s.Label)
		if !s.Present || !s.Initialised || len(s.Serial) != 16 || s.Model != "SoftHSM v2" || s.Firmware == "" || s.Problem != "" {
			t.Errorf("%+v", s)
		}
		// SoftHSM makes the slot's number of the serial's last 31 bits.
		if n, err := strconv.ParseUint(s.Serial[8:], 16, 64); err != nil || s.Slot != n&0x7fffffff {
			t.Errorf("slot %d, serial %s", s.Slot, s.Serial)
		}
	}
	slices.Sort(labels)
	if want := []string{"Grüße", "a label  with blanks", "part1"}; !slices.Equal(labels, want) {
		t.Errorf("labels %q, want %q", labels, want)
	}
	if free := d.Slots[3]; !free.Present || free.Initialised || free.Label != "" || free.Serial != "" {
		t.Errorf("%+v", free)
	}
}

// Nothing of the token changes: no session was opened, nothing was written.
func TestSoftHSMStaysAsItIs(t *testing.T) {
	library := softHSM(t, "part1")
	before := tree(t, filepath.Dir(os.Getenv("SOFTHSM2_CONF")))
	asked(t, library)
	if after := tree(t, filepath.Dir(os.Getenv("SOFTHSM2_CONF"))); !slices.Equal(before, after) {
		t.Errorf("before %q\nafter  %q", before, after)
	}
}

// tree lists the files below a directory with their content.
func tree(t *testing.T, root string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		all = append(all, path+"="+string(text))
		return err
	})
	if err != nil || len(all) < 3 {
		t.Fatalf("%d files, %v", len(all), err)
	}
	return all
}
