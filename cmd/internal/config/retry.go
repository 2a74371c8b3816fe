package config

import (
	"encoding/json"
	"os"
	"strings"
)

// largestReport bounds a report: some ten thousand links.
const largestReport = 256 << 20

// unsuccessful are the links that a report (-o json) calls anything but
// established; nil without a report.
func unsuccessful(name string) (map[string]bool, error) {
	if name == "" {
		return nil, nil
	}
	const flag = "--retry-failed"
	info, err := os.Stat(name)
	if err != nil {
		return nil, wrong("%s: %w", flag, err)
	}
	if info.Size() > largestReport {
		return nil, wrong("%s: %s is larger than %d bytes", flag, name, largestReport)
	}
	text, err := os.ReadFile(name) //nolint:gosec // the user names the file
	if err != nil {
		return nil, wrong("%s: %w", flag, err)
	}
	var report struct {
		Schema string `json:"schema"`
		Links  []struct {
			Client string `json:"client"`
			HSM    string `json:"hsm"`
			Name   string `json:"name"`
			Result string `json:"result"`
		} `json:"links"`
	}
	if err := json.Unmarshal(text, &report); err != nil || !strings.HasPrefix(report.Schema, "ntl-setup/") {
		return nil, wrong("%s: %s is no report of this program", flag, name).WithHint("ntl-setup apply -f FILE -o json prints one")
	}
	failed := map[string]bool{}
	for _, l := range report.Links {
		if l.Result != "established" {
			failed[reportKey(l.Client, l.HSM, l.Name)] = true
		}
	}
	return failed, nil
}

// reportKey is what a link is known again by, in a report.
func reportKey(client, hsm, name string) string { return client + "\n" + hsm + "\n" + name }
