package steps

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"ntl-setup/steps/preflight"
	"ntl-setup/transport"
	"ntl-setup/transport/lunash"
)

// How long the port may take. What a firewall drops is never answered.
const (
	patiencePort = 10 * time.Second // one connection, and its certificate
	// The client's own tool is stopped by the script that runs it, well before.
	patienceTool = 5 * time.Second
)

// Preflight looks at what lies between the two hosts and judges whether the link
// can work; see package preflight. from opens connections from the client; nil,
// or one that may not: the client's own tools do. It takes one exchange with the
// client, two commands of the appliance and one connection to its port, side by
// side, and changes nothing.
func (s *Site) Preflight(ctx context.Context, from transport.Dialer) []preflight.Check {
	seen := preflight.Seen{ClientAddress: s.link.ClientAddress, HSMAddress: s.link.HSMAddress}
	var all sync.WaitGroup
	all.Go(func() { seen.Port = s.see.port(ctx, from) })
	all.Go(func() { s.see.whereFrom(ctx, &seen) })
	all.Go(func() { s.see.settings(ctx, &seen) })
	all.Wait()
	if facts, err := s.see.client(ctx); err == nil {
		seen.Own = facts.pair.cert
	}
	var err error
	if seen.Server, err = s.see.serverCertificate(ctx); err != nil {
		seen.Server, seen.ServerProblem = nil, transport.Printable(err.Error())
	}
	if seen.Port.Means != "" && !seen.Port.Reached {
		if runs, err := lunash.Inspect(s.see.hsm).Serving(ctx); err == nil {
			seen.Serving = &runs
		}
	}
	seen.Now = time.Now()
	return preflight.Judge(seen)
}

// port reaches the HSM's port from the client: through SSH, or with the client's
// own tools where that is not allowed.
func (e *eyes) port(ctx context.Context, from transport.Dialer) preflight.Reach {
	if from == nil {
		return e.portByTool(ctx, transport.ErrNoForwarding)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, patiencePort, fmt.Errorf("no answer within %s", patiencePort))
	defer cancel()
	r := preflight.Reach{Means: "through SSH"}
	conn, err := from.DialFrom(ctx, net.JoinHostPort(e.link.HSMAddress, strconv.Itoa(preflight.Port)))
	switch {
	case err == nil:
	case errors.Is(err, transport.ErrUnreached), ctx.Err() != nil:
		r.Problem = transport.Printable(reason(ctx, err))
		return r
	default:
		return e.portByTool(ctx, err)
	}
	defer func() { _ = conn.Close() }() // a look
	r.Reached = true
	if r.Certificate, err = preflight.Certificate(ctx, conn); err != nil {
		r.CertificateProblem, r.Cut = transport.Printable(reason(ctx, err)), ended(err)
	}
	return r
}

// ended reports whether the far side hung up.
func ended(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET)
}

// reason is what an error of the port says, without what is said already.
func reason(ctx context.Context, err error) string {
	if cause := context.Cause(ctx); cause != nil {
		return cause.Error()
	}
	var known *transport.Error
	if errors.As(err, &known) {
		_, words, _ := strings.Cut(known.Message, "from there: ")
		return words
	}
	return err.Error()
}

// portByTool is port by the client's own tools; why is what kept SSH from it.
func (e *eyes) portByTool(ctx context.Context, why error) preflight.Reach {
	q := transport.Reach(e.link.HSMAddress, preflight.Port, patienceTool)
	facts, err := e.host.Look(ctx, q)
	fact := facts[q]
	switch {
	case err != nil:
		return preflight.Reach{Problem: transport.Printable(err.Error())}
	case fact.Missing || fact.Problem != "":
		problem := transport.Printable(fact.Problem)
		if problem == "" {
			problem = "it has neither openssl nor nc nor bash"
		}
		return preflight.Reach{Problem: fmt.Sprintf("%s; SSH: %s", problem, transport.Printable(why.Error()))}
	}
	r := preflight.Reach{Means: "by its " + fact.Tool, Reached: fact.Reached, Certificate: preflight.InText(fact.Data)}
	if !r.Reached {
		r.Problem = complaint(fact.Data)
	}
	if r.Certificate == nil {
		r.CertificateProblem = fact.Tool + " there shows none"
		r.Cut = r.Reached && fact.Tool == "openssl" && hungUp.Match(fact.Data)
	}
	return r
}

// hungUp is how openssl s_client, of whatever version, tells of a peer that did.
var hungUp = regexp.MustCompile(`errno=\d|unexpected eof|handshake has read 0 bytes`)

// complaint is the part of a tool's words that says why it failed: the first
// line, which openssl and nc keep for that.
func complaint(said []byte) string {
	for line := range strings.Lines(string(said)) {
		if line = transport.Printable(line); line != "" {
			const most = 200
			line = reasonOfSSL(line)
			return line[:min(len(line), most)]
		}
	}
	return fmt.Sprintf("no answer within %s", patienceTool)
}

// reasonOfSSL is the reason in a line of openssl's stack of errors, where it
// stands between numbers and names of files: thread:error:number:library:
// function:reason:file:line:more. Other lines are what they are.
func reasonOfSSL(line string) string {
	parts := strings.Split(line, ":")
	const reason = 5
	switch {
	case len(parts) <= reason || parts[1] != "error":
		return line
	case parts[reason] != "system lib":
		return cmp.Or(parts[reason], line)
	}
	return cmp.Or(parts[len(parts)-1], line)
}

// whereFrom asks the client for its clock and its address towards the HSM.
func (e *eyes) whereFrom(ctx context.Context, seen *preflight.Seen) {
	route := transport.Route(e.link.HSMAddress)
	before := time.Now()
	facts, err := e.host.Look(ctx, transport.System(), route)
	after := time.Now()
	if err != nil {
		seen.Client.Problem = transport.Printable(err.Error())
		seen.SourceProblem = seen.Client.Problem
		return
	}
	if clock := facts[transport.System()].Clock; clock.IsZero() {
		seen.Client.Problem = "it does not tell"
	} else {
		seen.Client.Ahead = ahead(clock, before, after)
	}
	seen.Sources, seen.SourceProblem = facts[route].Names, transport.Printable(facts[route].Problem)
	if len(seen.Sources) == 0 && seen.SourceProblem == "" {
		seen.SourceProblem = "neither `ip route get` nor `route -n get` tells"
	}
}

// ahead is how far a clock is ahead of ours that was read, in whole seconds,
// between two of our moments.
func ahead(clock, before, after time.Time) time.Duration {
	return clock.Add(500 * time.Millisecond).Sub(before.Add(after.Sub(before) / 2))
}

// settings asks the appliance for its clock and its check of addresses.
func (e *eyes) settings(ctx context.Context, seen *preflight.Seen) {
	hsm := lunash.Inspect(e.hsm)
	before := time.Now()
	clock, err := hsm.Clock(ctx)
	if err != nil {
		seen.HSM.Problem = untold("status date", err)
	} else {
		seen.HSM = preflight.Clock{Ahead: ahead(clock.Time, before, time.Now()), Vague: !clock.Known, Zone: clock.Zone}
	}
	checked, err := hsm.IPCheck(ctx)
	if err != nil {
		seen.IPCheckProblem = untold("ntls ipcheck show", err)
		return
	}
	seen.IPCheck = &checked
}

// untold is why the appliance did not tell something.
func untold(word string, err error) string {
	if errors.Is(err, lunash.ErrNotAllowed) {
		return "this user may not ask `" + word + "`"
	}
	return transport.Printable(err.Error())
}
