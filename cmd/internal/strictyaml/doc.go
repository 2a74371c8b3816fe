// Package strictyaml reads YAML into Go values and tells the place, by line and
// column, of every mistake that it meets, not of the first alone. A key that the
// type does not have is a mistake, and so is a key that stands twice, a merge
// key, a second document, and a value of another form than the type's.
//
// Types are structs (keys by their json tags, so that one type serves for this
// and for a JSON Schema; embedded structs are flattened), maps with string
// keys, slices, strings, booleans, integers, and pointers to those. A list of
// strings accepts a single one in place of a list of one. A string is what YAML
// takes for a string: a version 7.10, true or a date must be in quotes, since
// another reader would take them for something else. A number is plain digits.
// Nothing is empty: not a string, not a list, and a key has a value.
//
// Nothing is looked up or expanded, and no value can grow beyond the text that
// it came from: aliases are followed within a budget. Where the text ends to be
// YAML, that place is told, and nothing else.
package strictyaml
