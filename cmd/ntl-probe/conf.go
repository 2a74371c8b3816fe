package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"ntl-setup/steps/chrystoki"
)

// configured is the library that the Luna client's configuration names.
func configured(getenv func(string) string) (string, error) {
	dir := getenv("ChrystokiConfigurationPath")
	if dir == "" {
		dir = "/etc"
	}
	name := filepath.Join(dir, "Chrystoki.conf")
	text, err := os.ReadFile(name) //nolint:gosec // that file is what the environment is for
	if errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("no --library was given, and there is no %s to name one", name) //nolint:err113 // for a person
	}
	if err != nil {
		return "", fmt.Errorf("looking for a library: %w", err)
	}
	conf, err := chrystoki.Parse(text)
	if err != nil {
		return "", fmt.Errorf("looking for a library: %s: %w", name, err)
	}
	library := conf.Library()
	switch {
	case library == "":
		return "", fmt.Errorf("%s names no library (LibUNIX64)", name) //nolint:err113 // for a person
	case !filepath.IsAbs(library):
		return "", fmt.Errorf("%s names %q, which is no whole path", name, library) //nolint:err113 // for a person
	}
	return library, nil
}
