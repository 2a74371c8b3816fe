package steps

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"

	"ntl-setup/orchestrator"
	"ntl-setup/transport"
)

// delivery is what the appliance has of our certificate.
type delivery struct {
	client *clientFacts
	cert   *x509.Certificate // the client's own
	// needless: the client is registered with this very certificate, or
	// nothing speaks against it; the file has done its work.
	needless string
	file     upload
	sent     bool // stored in this run and acknowledged
}

// arrived reports whether nothing is left to send.
func (d delivery) arrived() bool {
	if d.needless != "" {
		return true
	}
	if d.file.cert != nil {
		return d.file.cert.Equal(d.cert)
	}
	return d.sent && d.file.problem != "" // it may not be read back, but was acknowledged
}

// sendCertificate is step 2: the appliance has the certificate under the name
// that `client register` looks for, in the directory of the user who registers.
func sendCertificate(link Link, see *eyes, do *hands) orchestrator.Step {
	file := link.certificateFile()
	return orchestrator.Reconcile[delivery]{
		Meta: orchestrator.Info{
			Number: 2, ID: "send-certificate", Host: orchestrator.OnHSM,
			Title: "the appliance has the client's certificate",
		},
		Observe: see.delivery,
		Want:    func(context.Context) (delivery, error) { return delivery{}, nil },
		Diff: func(have, _ delivery) []orchestrator.Change {
			if have.arrived() {
				return nil
			}
			return []orchestrator.Change{{Field: file, Have: have.describe(), Want: fingerprint(have.cert)}}
		},
		Explain: func(have, _ delivery) string { return have.explain(file) },
		Act: func(ctx context.Context, have, _ delivery) error {
			return do.store(ctx, have.cert)
		},
		Undo: func(_, _ delivery) []string { return undoDelivery(link) },
		Typed: func(have, _ delivery) []orchestrator.Command {
			return do.typist(have.client).deliver(have.client.pair.certPath, file)
		},
	}
}

// delivery looks at both ends of the transfer.
func (e *eyes) delivery(ctx context.Context) (delivery, error) {
	facts, err := e.client(ctx)
	if err != nil {
		return delivery{}, err
	}
	d := delivery{client: facts}
	switch {
	case facts.pair.usable():
	case facts.pair.trouble != "":
		return d, fmt.Errorf("which certificate is the client's, create-certificate settles: %w", orchestrator.ErrNotYet)
	default:
		return d, fmt.Errorf("the client has no certificate yet: %w", orchestrator.ErrNotYet)
	}
	d.cert = facts.pair.cert
	reg, err := e.registered(ctx)
	if err != nil {
		return d, err
	}
	if v := judge(e.link, reg, facts.pair.cert); v.ours && v.against == "" {
		d.needless = v.evidence
		return d, nil
	}
	d.file, err = e.uploaded(ctx)
	d.sent = e.sent[e.link.certificateFile()] == fingerprint(d.cert)
	return d, err
}

// describe is what lies on the appliance, in words.
func (d delivery) describe() string {
	switch {
	case d.file.problem != "":
		return "not readable: " + transport.Printable(d.file.problem)
	case d.file.cert == nil:
		return "not there"
	}
	return fingerprint(d.file.cert)
}

func (d delivery) explain(file string) string {
	switch {
	case d.needless != "":
		return "not needed any more: " + d.needless
	case d.file.cert != nil && d.arrived():
		return fmt.Sprintf("%s is there, %s", file, fingerprint(d.cert))
	case d.arrived():
		return fmt.Sprintf("%s was sent and acknowledged; it cannot be read back (%s)", file, transport.Printable(d.file.problem))
	}
	return fmt.Sprintf("%s on the appliance: %s", file, d.describe())
}

// unreadable sorts the errors of fetching our file: missing, not readable, or
// a failure of the exchange itself.
func unreadable(err error) (upload, error) {
	if errors.Is(err, fs.ErrNotExist) {
		return upload{}, nil
	}
	if f := orchestrator.Fail(err); f.Class == string(transport.ClassRemote) || f.Class == string(transport.ClassProtocol) {
		return upload{problem: f.Message}, nil
	}
	return upload{}, err
}
