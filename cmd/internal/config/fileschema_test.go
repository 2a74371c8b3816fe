package config

import (
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/jsonschema-go/jsonschema"
	"go.yaml.in/yaml/v4"

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
	return s
}

// refine says what the types cannot: which words a kind may be, and what a port is.
func refine(s *jsonschema.Schema) {
	for name, p := range s.Properties {
		switch name {
		case "kind":
			p.Enum = nil
			for _, kind := range steps.Kinds() {
				p.Enum = append(p.Enum, string(kind))
			}
		case "port":
			p.Minimum, p.Maximum = jsonschema.Ptr(1.0), jsonschema.Ptr(65535.0)
		}
		refine(p)
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

// What the schema says of a file is what reading it says.
func TestFileSchemaAgrees(t *testing.T) {
	var s jsonschema.Schema
	if err := json.Unmarshal(FileSchema, &s); err != nil {
		t.Fatal(err)
	}
	r, err := s.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	for text, good := range map[string]bool{
		goodFile: true,
		frame + "links: [{client: c, hsm: h, partition: p}]\n":                   true,
		frame + "links: [{client: [c, d], hsm: [h], partition: [p, q]}]\n":       true,
		frame + "link: []\nlinks: [{client: c, hsm: h, partition: p}]\n":         false,
		frame + "links: [{client: c, hsm: h, partition: p, password: x}]\n":      false,
		frame + "links: [{client: {}, hsm: h, partition: p}]\n":                  false,
		frame + "links: {client: [[c]], hsm: h}\n":                               false,
		"defaults: {client: {port: ssh}}\n" + frame + "links: []\n":              false,
		"defaults: {client: {kind: vax}}\n" + frame + "links: []\n":              false,
		"defaults: {client: {legacy_ssh: yes please}}\n" + frame + "links: []\n": false,
		"hsms: {h: {}}\nclients: {}\nlinks: []\n":                                false,
	} {
		var v any
		if err := yaml.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		if err := r.Validate(v); (err == nil) != good {
			t.Errorf("the schema says %v of\n%s", err, text)
		}
		file, env := house(t, text)
		if _, err := Validate(file, env); (err == nil) != good {
			t.Errorf("reading says %v of\n%s", err, text)
		}
	}
}
