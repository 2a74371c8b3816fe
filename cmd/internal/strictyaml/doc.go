// Package strictyaml reads YAML into Go values and tells the place, by line and
// column, of every mistake that it meets, not of the first alone. A key that the
// type does not have is a mistake, and so is a key that stands twice, a merge
// key, a second document, and a value of another form than the type's.
//
// Types are structs (keys by their json tags, so that one type serves for this
// and for a JSON Schema; embedded structs are flattened), maps with string
// keys, slices, strings, booleans, integers, and pointers to those. A list
// accepts a single value in place of a list of one. Strings accept any scalar as
// it is written: a version 7.10 stays "7.10".
//
// Nothing is looked up or expanded, and no value can grow beyond the text that
// it came from: aliases are followed within a budget.
package strictyaml
