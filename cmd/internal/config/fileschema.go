package config

import _ "embed"

// FileSchema is the JSON Schema of ntl.yaml, for editors. It is made from the
// types in file.go; a test holds the two together.
//
//go:embed ntl.schema.json
var FileSchema []byte
