package main

import (
	"os"
	"os/exec"
	"path/filepath"

	"ntl-setup/transport/probe"
)

// probeName is the program that asks PKCS#11 libraries.
const probeName = "ntl-probe"

// probes is the ntl-probe beside this program, or in the search path.
func probes() probe.Here {
	var h probe.Here
	if dir := ownDir(); dir != "" {
		h.Places = append(h.Places, filepath.Join(dir, probeName))
	}
	if found, err := exec.LookPath(probeName); err == nil && filepath.IsAbs(found) {
		h.Places = append(h.Places, found)
	}
	return h
}

// ownDir is where this program is; "" if that cannot be told.
func ownDir() string {
	own, err := os.Executable()
	if err != nil {
		return ""
	}
	if real, err := filepath.EvalSymlinks(own); err == nil {
		own = real
	}
	return filepath.Dir(own)
}

// probeDir is where an ntl-probe may be on the client that only this program
// knows of: its own directory, where this machine is the client.
func (j job) probeDir() string {
	if !j.link.Client.Local {
		return ""
	}
	return ownDir()
}
