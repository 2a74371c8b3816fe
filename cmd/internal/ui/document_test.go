package ui

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/jsonschema-go/jsonschema"

	"ntl-setup/orchestrator"
	"ntl-setup/steps/preflight"
)

//go:generate go test -run SchemaFile . -update

var update = flag.Bool("update", false, "write schema.json anew")

// schemaFile is what programs check documents against.
const schemaFile = "schema.json"

// enum is a string that is one of a few words.
func enum[T ~string](words ...T) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "string"}
	for _, w := range words {
		s.Enum = append(s.Enum, string(w))
	}
	return s
}

// schema is made from the Go types. Three things are said that the types do not
// say: the words of each enumeration, that lists are never null, and that a
// document may have fields which this version does not know.
func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	s, err := jsonschema.For[Document](words())
	if err != nil {
		t.Fatal(err)
	}
	s.Schema = "https://json-schema.org/draft/2020-12/schema"
	s.Title = "The result document of ntl-setup"
	s.Properties["schema"] = &jsonschema.Schema{Type: "string", Const: jsonschema.Ptr[any](SchemaID)}
	s.Properties["command"] = enum("apply", "plan", "status", "doctor")
	s.Properties["result"] = enum(append(results, Partial)...)
	s.Properties["exit"] = &jsonschema.Schema{Type: "integer", Enum: []any{0, 1, 2, 3, 4, 5, 64, 130}}
	open(s)
	return s
}

// words are what the strings of some types may be.
func words() *jsonschema.ForOptions {
	return &jsonschema.ForOptions{TypeSchemas: map[reflect.Type]*jsonschema.Schema{
		reflect.TypeFor[orchestrator.Status](): enum(statuses...),
		reflect.TypeFor[orchestrator.Result](): enum(results...),
		reflect.TypeFor[orchestrator.Failure](): {
			Type: "object",
			Properties: map[string]*jsonschema.Schema{
				"class": enum("connect", "auth", "host-key", "dialogue", "conflict", "remote", "protocol",
					"timeout", "lock", "interrupted", "config", "internal"),
				"message": {Type: "string", Description: "what went wrong"},
				"hint":    {Type: "string", Description: "what to do next"},
			},
			Required: []string{"class", "message"},
		},
		reflect.TypeFor[EventName]():        enum(eventNames...),
		reflect.TypeFor[preflight.Status](): enum(preflight.OK, preflight.Warning, preflight.Problem, preflight.Unknown),
	}}
}

// open lets unknown fields pass and null lists not.
func open(s *jsonschema.Schema) {
	if s == nil {
		return
	}
	s.AdditionalProperties = nil
	switch {
	case cmp.Equal(s.Types, []string{"null", "array"}):
		s.Type, s.Types = "array", nil
	case cmp.Equal(s.Types, []string{"null", "object"}):
		s.Type, s.Types = "object", nil
	}
	open(s.Items)
	for _, p := range s.Properties {
		open(p)
	}
}

func TestSchemaFile(t *testing.T) { kept(t, schemaFile, schema(t)) }

// kept compares a schema with its file, or writes that.
func kept(t *testing.T, file string, s *jsonschema.Schema) {
	t.Helper()
	want, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil { //nolint:gosec // a source file, for everybody
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s is not made from these types; go generate ./cmd/internal/ui writes it (-want +got):\n%s", file, diff)
	}
}

// resolved is the schema in the repository, ready to validate.
func resolved(t *testing.T) *jsonschema.Resolved { return resolve(t, schemaFile) }

func resolve(t *testing.T, file string) *jsonschema.Resolved {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var s jsonschema.Schema
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	r, err := s.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// asWritten is a document as a reader gets it.
func asWritten(t *testing.T, d Document) map[string]any {
	t.Helper()
	var b bytes.Buffer
	if err := WriteDocument(&b, d); err != nil {
		t.Fatal(err)
	}
	if strings.Count(b.String(), "\n") != 1 {
		t.Errorf("not one line: %q", b.String())
	}
	var v map[string]any
	if err := json.Unmarshal(b.Bytes(), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestDocumentsFitTheSchema(t *testing.T) {
	s := resolved(t)
	failed := sample()
	failed.Report.Result = orchestrator.ResFailed
	failed.Report.Steps[0].Status = orchestrator.Failed
	failed.Report.Steps[0].Err = &orchestrator.Failure{Class: "remote", Message: "no", Hint: "try"}
	documents := map[string]Document{
		"plan":       NewDocument("plan", sample()),
		"apply":      NewDocument("apply", done()),
		"failed":     NewDocument("apply", failed),
		"several":    NewDocument("status", sample(), done()),
		"wrong flag": NewDocument("apply", Outcome{Report: Stopped(os.ErrInvalid)}),
		"empty":      NewDocument("plan"),
	}
	for _, result := range results {
		o := sample()
		o.Report.Result = result
		documents[string(result)] = NewDocument("apply", o)
	}
	for _, status := range statuses {
		o := sample()
		o.Report.Steps[0].Status = status
		documents["step "+string(status)] = NewDocument("plan", o)
	}
	for name, d := range documents {
		t.Run(name, func(t *testing.T) {
			if err := s.Validate(asWritten(t, d)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestSchemaRefuses(t *testing.T) {
	s := resolved(t)
	links := func(v map[string]any) map[string]any { return v["links"].([]any)[0].(map[string]any) }
	step := func(v map[string]any) map[string]any { return links(v)["steps"].([]any)[0].(map[string]any) }
	for name, spoil := range map[string]func(v map[string]any){
		"another schema":   func(v map[string]any) { v["schema"] = "ntl-setup/2" },
		"unknown result":   func(v map[string]any) { v["result"] = "fine" },
		"unknown command":  func(v map[string]any) { v["command"] = "help" },
		"unknown exit":     func(v map[string]any) { v["exit"] = 7 },
		"no links":         func(v map[string]any) { delete(v, "links") },
		"null links":       func(v map[string]any) { v["links"] = nil },
		"partial link":     func(v map[string]any) { links(v)["result"] = "partial" },
		"null steps":       func(v map[string]any) { links(v)["steps"] = nil },
		"null partitions":  func(v map[string]any) { links(v)["partitions"] = nil },
		"unknown status":   func(v map[string]any) { step(v)["status"] = "maybe" },
		"text as duration": func(v map[string]any) { step(v)["duration_ms"] = "412" },
		"null changes":     func(v map[string]any) { step(v)["changes"] = nil },
		"unknown class":    func(v map[string]any) { step(v)["error"] = map[string]any{"class": "odd", "message": "x"} },
		"silent error":     func(v map[string]any) { step(v)["error"] = map[string]any{"class": "auth"} },
	} {
		t.Run(name, func(t *testing.T) {
			v := asWritten(t, NewDocument("plan", sample()))
			spoil(v)
			if err := s.Validate(v); err == nil {
				t.Error("accepted")
			}
		})
	}
	v := asWritten(t, NewDocument("plan", sample()))
	v["later"], links(v)["later"], step(v)["later"] = 1, "x", true
	if err := s.Validate(v); err != nil {
		t.Errorf("a field of a later version is refused: %v", err)
	}
}

// The contract, letter by letter.
func TestDocumentForm(t *testing.T) {
	o := sample()
	o.Report.Result = orchestrator.Established
	o.Report.Steps = o.Report.Steps[:1]
	o.Report.Steps[0].Status = orchestrator.Changed
	o.Report.Steps[0].Err = &orchestrator.Failure{Class: "remote", Message: "m", Hint: "h"}
	var b bytes.Buffer
	if err := WriteDocument(&b, NewDocument("apply", o)); err != nil {
		t.Fatal(err)
	}
	want := `{"schema":"ntl-setup/1","command":"apply","result":"established","exit":0,` +
		`"links":[{"client":"root@192.0.2.10:22","hsm":"admin@192.0.2.20:22","name":"web1","client_address":"192.0.2.10","partitions":["part1"],` +
		`"result":"established",` +
		`"steps":[{"n":1,"id":"create-certificate","host":"client","status":"changed","changes":[{"field":"certificate","have":"none","want":"CN=192.0.2.10"}],` +
		`"reason":"no pair for 192.0.2.10 yet","duration_ms":412,"error":{"class":"remote","message":"m","hint":"h"}}]}]}` + "\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}

func TestDocumentIsPrintable(t *testing.T) {
	const evil = "a\x1b[2Jb\u202e\r"
	o := sample()
	s := &o.Report.Steps[0]
	s.Reason, s.Err = evil, &orchestrator.Failure{Class: "remote", Message: evil, Hint: evil}
	s.Changes = []orchestrator.Change{{Field: evil, Have: evil, Want: evil, Diff: evil}}
	s.Duration = 1500 * time.Microsecond
	o.Report.Err = s.Err
	got := NewDocument("apply", o).Links[0]
	for _, text := range []string{
		got.Error.Message, got.Error.Hint, got.Steps[0].Reason, got.Steps[0].Error.Message,
		got.Steps[0].Changes[0].Field, got.Steps[0].Changes[0].Have, got.Steps[0].Changes[0].Want, got.Steps[0].Changes[0].Diff,
	} {
		if text == "" || strings.ContainsFunc(text, hidden) {
			t.Errorf("%q", text)
		}
	}
	if got.Steps[0].DurationMS != 1 {
		t.Errorf("duration %d ms, want 1", got.Steps[0].DurationMS)
	}
	if s.Err.Message != evil {
		t.Error("the report itself was changed")
	}
}
