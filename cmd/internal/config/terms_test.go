package config

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

// asCoded finds an error's class and hint.
func asCoded(err error, into any) bool { return err != nil && errors.As(err, into) }

func TestInFile(t *testing.T) {
	l := Link{ID: "c05/h1"}
	for text, want := range map[string]string{
		"choose another --name, or give it with --client-address":     "choose another clients.c05.name, or give it with clients.c05.address",
		"name one of these with --partition, or have it created":      "name one of these with the link's partition, or have it created",
		"use that name: --hsm-address 10.0.0.1":                       "use that name: hsms.h1.address: 10.0.0.1",
		"if it is this one: --name web-1; or remove it":               "if it is this one: clients.c05.name: web-1; or remove it",
		"be given --hsm-address as an IP address":                     "be given hsms.h1.address as an IP address",
		"(if not: --map-host-ip ADDRESS, which is client hostip map)": "(if not: clients.c05.map_host_ip: ADDRESS, which is client hostip map)",
		"correct --hsm-certificate":                                   "correct hsms.h1.certificate",
		"the right host with --client; --client-config-path names it": "the right host with clients.c05.host; --client-config-path names it",
		"--restart-gateway decides, --client-password-file, --hsm":    "--restart-gateway decides, --client-password-file, hsms.h1.host",
		"not: --named": "not: --named",
	} {
		if got := l.InFile(text); got != want {
			t.Errorf("%q, want %q", got, want)
		}
		if got := (Link{}).InFile(text); got != text {
			t.Errorf("without a file: %q", got)
		}
	}
}

// The flags that have a key in the file are those that -f excludes.
func TestKeysInPlaceOfFlags(t *testing.T) {
	all := Flags{
		Client: "x", HSM: "x", Name: "x", ClientAddress: "x", HSMAddress: "x", MapHostIP: "x", Partitions: []string{"x"},
		ClientHostKey: "x", HSMHostKey: "x", HSMCertificate: "x", File: "f",
	}
	excluded := all.alone().Error()
	for flag, key := range fileKeys() {
		if !strings.Contains(excluded+",", flag+",") && !strings.Contains(excluded, flag+" and -f") {
			t.Errorf("%s stands beside -f", flag)
		}
		entry := map[string]reflect.Type{clientSection: reflect.TypeFor[FileClient](), hsmSection: reflect.TypeFor[FileHSM](), linkSection: reflect.TypeFor[FileLink]()}[key.section]
		if !hasKey(entry, key.key) {
			t.Errorf("%s has no key %s", key.section, key.key)
		}
	}
	if n := strings.Count(excluded, "--"); n != len(fileKeys()) {
		t.Errorf("%d keys for %s", len(fileKeys()), excluded)
	}
	for flag, key := range sharedKeys() {
		if strings.Contains(excluded, flag+",") || !hasKey(reflect.TypeFor[FileClient](), key) {
			t.Errorf("%s, %s", flag, key)
		}
	}
}

func hasKey(entry reflect.Type, key string) bool {
	for i := range entry.NumField() {
		f := entry.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == key || f.Anonymous && hasKey(f.Type, key) {
			return true
		}
	}
	return false
}

// What is wrong with a link in a run is told at the key that it is about.
func TestMistakesOfARun(t *testing.T) {
	file, env := house(t, "defaults: {client: {password_env: A}}\nhsms: {h: {host: alias}}\nclients: {c: {host: 192.0.2.1}}\nlinks: [{client: c, hsm: h, partition: p}]\n")
	want := file + ":1:35: clients.c: the environment variable A is not set"
	if _, err := resolveFile(t, Flags{File: file}, env); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	env.Getenv = func(string) string { return "x" }
	// What the file has no part in is no mistake of the file, and told once.
	if _, err := resolveFile(t, Flags{File: file, HSMPasswordFile: "/nowhere"}, env); err == nil || !strings.HasPrefix(err.Error(), "--hsm-password-file: open /nowhere") {
		t.Errorf("%v", err)
	}
	if _, err := resolveFile(t, Flags{File: file, ClientKind: "vax"}, env); err == nil || !strings.HasPrefix(err.Error(), `--client-kind "vax" is none of`) {
		t.Errorf("%v", err)
	}
}
