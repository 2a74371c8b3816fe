package ui

import (
	"strings"
	"time"

	"ntl-setup/orchestrator"
)

// statuses are all there are.
var statuses = []orchestrator.Status{
	orchestrator.OK, orchestrator.Changed, orchestrator.WouldChange, orchestrator.Unknown,
	orchestrator.Conflict, orchestrator.Failed, orchestrator.Blocked, orchestrator.NotNeeded,
}

// results are all that a link can have.
var results = []orchestrator.Result{
	orchestrator.Established, orchestrator.Changes, orchestrator.Conflicted, orchestrator.ResFailed,
	orchestrator.Unreachable, orchestrator.Declined, orchestrator.Interrupted, Sound, Troubled,
}

func report(n int, id, host string, status orchestrator.Status, reason string) orchestrator.StepReport {
	return orchestrator.StepReport{
		Info:   orchestrator.Info{Number: n, ID: id, Host: host},
		Status: status, Reason: reason,
	}
}

// sample is a link with two steps that differ and one that depends on them.
func sample() Outcome {
	create := report(1, "create-certificate", orchestrator.OnClient, orchestrator.WouldChange, "no pair for 192.0.2.10 yet")
	create.Changes = []orchestrator.Change{{Field: "certificate", Have: "none", Want: "CN=192.0.2.10"}}
	create.Duration = 412 * time.Millisecond
	add := report(3, "add-server", orchestrator.OnClient, orchestrator.WouldChange, "vtl lists no server")
	add.Changes = []orchestrator.Change{
		{Field: "server", Have: "", Want: "192.0.2.20"},
		{Field: "Chrystoki.conf", Have: "no ServerName00", Want: "ServerName00", Diff: sampleDiff},
	}
	register := report(5, "register-client", orchestrator.OnHSM, orchestrator.Unknown, "depends on create-certificate")
	return Outcome{
		Client: "root@192.0.2.10:22", HSM: "admin@192.0.2.20:22", Name: "web1",
		ClientAddress: "192.0.2.10", Partitions: []string{"part1"},
		Report: orchestrator.Report{
			Result: orchestrator.Changes,
			Steps: []orchestrator.StepReport{
				create, add, register,
				report(9, "persist-config", orchestrator.OnClient, orchestrator.NotNeeded, "not for this kind of client"),
			},
		},
	}
}

const sampleDiff = `--- /etc/Chrystoki.conf
+++ /etc/Chrystoki.conf
@@ -1,3 +1,4 @@
 LunaSA Client = {
+  ServerName00 = 192.0.2.20;
   NetClient = 1;
 }
`

// done is sample after an apply that changed two steps.
func done() Outcome {
	o := sample()
	for i := range o.Report.Steps {
		if o.Report.Steps[i].Status != orchestrator.NotNeeded {
			o.Report.Steps[i].Status = orchestrator.Changed
		}
	}
	o.Report.Result, o.Report.Acted = orchestrator.Established, true
	o.NetScaler = true
	o.Serials = map[string]string{"part1": "700123001"}
	return o
}

// plain is a stream that is no terminal.
func plain() (Stream, *strings.Builder) {
	var b strings.Builder
	return Stream{Writer: &b}, &b
}
