package ui

import (
	"time"

	"ntl-setup/orchestrator"
	"ntl-setup/steps/preflight"
)

// SchemaID names the form of the document. Fields are only ever added to it.
const SchemaID = "ntl-setup/1"

// Partial is the result of a document whose links did not all end alike.
const Partial orchestrator.Result = "partial"

// Document is what -o json prints: one run over one or more links.
type Document struct {
	Schema  string              `json:"schema"`
	Command string              `json:"command" jsonschema:"apply, plan, status or doctor; apply --dry-run is plan"`
	Result  orchestrator.Result `json:"result"`
	Exit    int                 `json:"exit" jsonschema:"the exit status of the process"`
	Links   []Link              `json:"links"`
}

// Link is the outcome of one link.
type Link struct {
	ID            string                `json:"id,omitempty" jsonschema:"client/hsm, as the file of links calls them; absent without a file"`
	Client        string                `json:"client" jsonschema:"user@host:port, or local"`
	HSM           string                `json:"hsm" jsonschema:"user@host:port"`
	Name          string                `json:"name" jsonschema:"the client's name on the HSM"`
	ClientAddress string                `json:"client_address" jsonschema:"what the HSM calls the client"`
	Partitions    []string              `json:"partitions"`
	Result        orchestrator.Result   `json:"result"`
	Steps         []Step                `json:"steps" jsonschema:"empty if no host was reached"`
	Preflight     []preflight.Check     `json:"preflight,omitempty" jsonschema:"what lies between the hosts; absent if it was not looked at, as where the link holds already"`
	Error         *orchestrator.Failure `json:"error,omitempty" jsonschema:"what went wrong outside the steps"`
	Journal       string                `json:"journal,omitempty" jsonschema:"the directory, on the machine that ntl-setup ran on, with the journal and the transcripts of the run"`
}

// Step is the outcome of one step of a link.
type Step struct {
	N          int                    `json:"n" jsonschema:"the step's number in the published procedure"`
	ID         string                 `json:"id"`
	Host       string                 `json:"host" jsonschema:"client or hsm"`
	Status     orchestrator.Status    `json:"status"`
	Changes    []orchestrator.Change  `json:"changes"`
	Reason     string                 `json:"reason" jsonschema:"the evidence: what was seen, what is wanted, why"`
	Commands   []orchestrator.Command `json:"commands,omitempty" jsonschema:"plan --commands: what a person would type to do the step by hand; of an unknown step, what would follow; absent where nothing is to be done, and in the whole link where a person must decide first"`
	DurationMS int64                  `json:"duration_ms"`
	Error      *orchestrator.Failure  `json:"error,omitempty"`
}

// Outcome is one link as a run left it, with what only the text view tells.
type Outcome struct {
	ID            string // client/hsm, as the file of links calls them; empty without a file
	Client        string
	HSM           string
	Name          string
	ClientAddress string
	Partitions    []string
	Report        orchestrator.Report
	// NetScaler: the client is one, so the next thing is to add a key there.
	NetScaler bool
	// Serials are the serial numbers of the partitions, by name, as far as known.
	Serials map[string]string
	// ClientExpires and HSMExpires end the validity of the two certificates;
	// zero where it is not known or not asked for.
	ClientExpires, HSMExpires time.Time
	// Preflight is what lies between the two hosts; nil if it was not looked at.
	Preflight []preflight.Check
	// Seats are where the commands of a runbook are typed; nil if none is wanted.
	Seats []orchestrator.Seat
	// Journal is the directory of the run's journal; empty if none is kept.
	Journal string
	// Files are digests of the client's files before the run did anything there,
	// for a plan that is saved; nil if they were not read.
	Files map[string]string
}

// NewDocument makes the document of a run and works out its result and exit
// status.
func NewDocument(command string, outcomes ...Outcome) Document {
	d := Document{Schema: SchemaID, Command: command, Links: []Link{}}
	for _, o := range outcomes {
		d.Links = append(d.Links, o.link())
	}
	d.Result, d.Exit = verdict(d.Links)
	return d
}

func (o Outcome) link() Link {
	l := Link{
		ID: o.ID, Client: o.Client, HSM: o.HSM, Name: o.Name, ClientAddress: o.ClientAddress,
		Partitions: append([]string{}, o.Partitions...),
		Result:     o.Report.Result,
		Steps:      o.steps(),
		Preflight:  plainChecks(o.Preflight),
		Error:      plainFailure(o.Report.Err),
		Journal:    o.Journal,
	}
	return l
}

func stepsOf(reports []orchestrator.StepReport) []Step {
	steps := []Step{}
	for _, s := range reports {
		steps = append(steps, step(s))
	}
	return steps
}

func step(s orchestrator.StepReport) Step {
	out := Step{
		N: s.Info.Number, ID: s.Info.ID, Host: s.Info.Host, Status: s.Status,
		Changes:    []orchestrator.Change{},
		Reason:     oneLine(s.Reason),
		DurationMS: s.Duration.Milliseconds(),
		Error:      plainFailure(s.Err),
	}
	for _, c := range s.Changes {
		out.Changes = append(out.Changes, orchestrator.Change{
			Field: oneLine(c.Field),
			Have:  oneLine(c.Have),
			Want:  oneLine(c.Want),
			Diff:  Block(c.Diff),
		})
	}
	return out
}

// plainFailure is a failure without control characters: people read documents
// in terminals too.
func plainFailure(f *orchestrator.Failure) *orchestrator.Failure {
	if f == nil {
		return nil
	}
	return &orchestrator.Failure{
		Class:   f.Class,
		Message: oneLine(f.Message),
		Hint:    oneLine(f.Hint),
	}
}
