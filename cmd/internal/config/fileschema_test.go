package config

import (
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/jsonschema-go/jsonschema"

	"ntl-setup/steps"
)

var update = flag.Bool("update", false, "write ntl.schema.json anew")

// fileSchema is made of the types.
func fileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	word := &jsonschema.Schema{Type: "string"}
	s, err := jsonschema.For[File](&jsonschema.ForOptions{TypeSchemas: map[reflect.Type]*jsonschema.Schema{
		reflect.TypeFor[Words](): {AnyOf: []*jsonschema.Schema{word, {Type: "array", Items: word}}},
		reflect.TypeFor[*bool](): {Type: "boolean"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	s.Title = "ntl.yaml of ntl-setup"
	s.Schema = "https://json-schema.org/draft/2020-12/schema"
	refine(s)
	s.Properties[hsmSection].MinProperties, s.Properties[clientSection].MinProperties = jsonschema.Ptr(1), jsonschema.Ptr(1)
	s.Properties[linkSection].MinItems = jsonschema.Ptr(1)
	// A link names its partitions unless the defaults do.
	some := func(key string) *jsonschema.Schema { return &jsonschema.Schema{Required: []string{key}} }
	s.If = &jsonschema.Schema{Properties: map[string]*jsonschema.Schema{"defaults": some("partitions")}, Required: []string{"defaults"}}
	s.Else = &jsonschema.Schema{Properties: map[string]*jsonschema.Schema{linkSection: {Items: some("partition")}}}
	return s
}

// What words of the file look like. Patterns are of the kind that Go and ECMA 262
// both read.
const (
	namePattern = `^[A-Za-z0-9._:][A-Za-z0-9._:-]{0,127}$`
	userPattern = `[^:\x00-\x20\x7f]+`
	hostPattern = `(` + userPattern + `@)?(\[[0-9A-Fa-f:.]+(%[0-9A-Za-z._-]+)?\](:[0-9]{1,5})?|[0-9A-Fa-f.]*:[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*(%[0-9A-Za-z._-]+)?|[A-Za-z0-9_][A-Za-z0-9._-]*(:[0-9]{1,5})?)`
)

// patterns are those of single words, by their keys.
func patterns() map[string]string {
	return map[string]string{
		"host": `^` + hostPattern + `$`, "jump_host": `^` + hostPattern + `(,` + hostPattern + `)*$`, "user": `^` + userPattern + `$`,
		"name": namePattern, "address": namePattern, "map_host_ip": `^[0-9A-Fa-f.:]+$`,
		"host_key":     `^SHA256:[A-Za-z0-9+/]{43}=*$`,
		"certificate":  `^([Ss][Hh][Aa]256:)?[: ]*([0-9A-Fa-f][: ]*){64}$`,
		"password_env": `^[A-Za-z_][A-Za-z0-9_]*$`, "password_command": `[^ \t\r\n]`,
		"config_path": `^/[A-Za-z0-9/._+-]*$`, "root": `^/`,
	}
}

// words is one word, or a list of different ones.
func words(description, pattern string) *jsonschema.Schema {
	word := func() *jsonschema.Schema {
		return &jsonschema.Schema{Type: "string", MinLength: jsonschema.Ptr(1), Pattern: pattern}
	}
	return &jsonschema.Schema{Description: description, AnyOf: []*jsonschema.Schema{
		word(), {Type: "array", Items: word(), MinItems: jsonschema.Ptr(1), UniqueItems: true},
	}}
}

// refine says what the types cannot: what is in a word, and what is never empty.
func refine(s *jsonschema.Schema) {
	for name, p := range s.Properties {
		switch {
		case name == "kind":
			p.Enum = nil
			for _, kind := range steps.Kinds() {
				p.Enum = append(p.Enum, string(kind))
			}
		case name == "port":
			p.Minimum, p.Maximum = jsonschema.Ptr(1.0), jsonschema.Ptr(65535.0)
		case len(p.AnyOf) > 0 && name == "identity_file":
			s.Properties[name] = words(p.Description, "")
		case len(p.AnyOf) > 0:
			s.Properties[name] = words(p.Description, namePattern)
		case p.Type == "string":
			p.MinLength, p.Pattern = jsonschema.Ptr(1), patterns()[name]
		}
		refine(s.Properties[name])
	}
	if _, host := s.Properties["password_file"]; host {
		s.Not = &jsonschema.Schema{AnyOf: []*jsonschema.Schema{
			{Required: []string{"password_file", "password_env"}}, {Required: []string{"password_file", "password_command"}},
			{Required: []string{"password_env", "password_command"}},
		}}
	}
	if s.AdditionalProperties != nil && len(s.Properties) == 0 { // entries by names of one's own
		s.PropertyNames = &jsonschema.Schema{Pattern: namePattern}
		if len(s.AdditionalProperties.AnyOf) > 0 {
			s.AdditionalProperties = words("", namePattern)
		}
	}
	if s.AdditionalProperties != nil {
		refine(s.AdditionalProperties)
	}
	if s.Items != nil {
		refine(s.Items)
	}
	s.Types, s.Type = nil, firstType(s)
}

// firstType is the type without null: a key without a value is no entry.
func firstType(s *jsonschema.Schema) string {
	for _, one := range s.Types {
		if one != "null" {
			return one
		}
	}
	return s.Type
}

func TestFileSchema(t *testing.T) {
	want, err := json.MarshalIndent(fileSchema(t), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	if *update {
		if err := os.WriteFile("ntl.schema.json", want, 0o644); err != nil { //nolint:gosec // a source file, for everybody
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(want), string(FileSchema)); diff != "" {
		t.Errorf("ntl.schema.json is not made from these types; make schema writes it (-want +got):\n%s", diff)
	}
}
