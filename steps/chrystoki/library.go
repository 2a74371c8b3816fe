package chrystoki

import (
	"path"
	"strings"
)

// Library is the PKCS#11 library of 64-bit programs that the configuration
// names, empty if it names none. Where that is libcklog2, which writes a log and
// passes every call on, it is the library that this one passes them on to.
func (f *File) Library() string {
	library, _ := f.Get("Chrystoki2", "LibUNIX64")
	if strings.HasPrefix(strings.ToLower(path.Base(library)), "libcklog2") {
		library, _ = f.Get("CkLog2", "LibUNIX64")
	}
	return library
}

// HAOnly reports whether the library hides the members of its HA groups: then a
// partition that is a member is no slot of it.
func (f *File) HAOnly() bool {
	only, _ := f.Get("HAConfiguration", "HAOnly")
	return only == "1"
}
