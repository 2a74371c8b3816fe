package config

import (
	"path/filepath"
	"testing"
)

func TestStateDir(t *testing.T) {
	home, abs := filepath.FromSlash("/home/alex"), t.TempDir()
	for name, c := range map[string]struct {
		goos, home, variable, value, want string
	}{
		"default":             {"linux", home, "", "", filepath.Join(home, ".local/state/ntl-setup")},
		"macOS too":           {"darwin", home, "", "", filepath.Join(home, ".local/state/ntl-setup")},
		"named":               {"linux", home, "XDG_STATE_HOME", abs, filepath.Join(abs, "ntl-setup")},
		"named without home":  {"linux", "", "XDG_STATE_HOME", abs, filepath.Join(abs, "ntl-setup")},
		"relative is ignored": {"linux", home, "XDG_STATE_HOME", "state", filepath.Join(home, ".local/state/ntl-setup")},
		"no home":             {"linux", "", "", "", ""},
		"Windows":             {"windows", home, "LocalAppData", abs, filepath.Join(abs, "ntl-setup")},
		"Windows, unset":      {"windows", home, "XDG_STATE_HOME", abs, filepath.Join(home, "AppData/Local/ntl-setup")},
	} {
		getenv := func(name string) string {
			if name == c.variable {
				return c.value
			}
			return ""
		}
		if got := stateDir(getenv, c.home, c.goos); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if Session().State == "" && Session().Home != "" {
		t.Error("the session has a home and no place for its state")
	}
}
