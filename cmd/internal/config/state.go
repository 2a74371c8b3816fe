package config

import "path/filepath"

// stateDir is where a user's programs keep what is neither configuration nor
// cache: %LocalAppData% on Windows, else what the XDG base directory
// specification says, which wants relative paths ignored. Empty: there is none.
func stateDir(getenv func(string) string, home, goos string) string {
	const own = "ntl-setup"
	named, below := getenv("XDG_STATE_HOME"), []string{".local", "state"}
	if goos == "windows" {
		named, below = getenv("LocalAppData"), []string{"AppData", "Local"}
	}
	switch {
	case filepath.IsAbs(named):
		return filepath.Join(named, own)
	case home == "":
		return ""
	}
	return filepath.Join(append(append([]string{home}, below...), own)...)
}
