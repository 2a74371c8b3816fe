package orchestrator

// OnLaptop is where a person types what neither host is told: the machine that
// the program runs on.
const OnLaptop = "laptop"

// Command is one line that a person would type to do by hand what a step's act
// would do. Nothing here runs it.
type Command struct {
	Where string `json:"where" jsonschema:"client, hsm (in lunash) or laptop"`
	// Line is quoted for the shell that it is typed in, and never holds a secret.
	Line string `json:"line" jsonschema:"as it is typed there; one that begins with # is to be done by hand"`
	// Note is what to look at with this line, for people; else empty.
	Note string `json:"note,omitempty"`
	// Diff is a unified diff where Line opens a file to be edited, else empty.
	Diff string `json:"diff,omitempty"`
	// Once: it does nothing when it is typed again, so it is shown the first time.
	Once bool `json:"-"`
}

// Seat is a place where commands are typed.
type Seat struct {
	Where  string // OnClient, OnHSM or OnLaptop
	Prompt string // what stands before a line typed there, as "client#"
	How    string // how a person gets there, as "ssh root@192.0.2.10"
}
