package transport

// What stands around the functions in a script that are the same each time, so
// that a transcript can tell them once.
const (
	LibraryBegins = "# the library begins"
	LibraryEnds   = "# the library ends"
)
