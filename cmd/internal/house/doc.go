// Package house holds no code: its tests hold the house together. They read the
// dependency graph and the files, and fail when an import runs the wrong way,
// when a package has no page that says what it promises, or when a file or the
// top level outgrows what was agreed.
package house
