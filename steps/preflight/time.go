package preflight

import (
	"crypto/x509"
	"fmt"
	"strings"
	"time"
)

const (
	// tolerance is how far clocks may be apart without a word: less than what a
	// person needs from one command to the next.
	tolerance = time.Minute
	// The zones of the world, ahead of and behind UTC, are whole quarters of an
	// hour.
	eastmost, westmost = 14 * time.Hour, -12 * time.Hour
	quarter            = 15 * time.Minute
)

// clocks compares the three clocks.
func (s Seen) clocks() Check {
	client, clientSays := s.Client.judge("the client's")
	hsm, hsmSays := s.HSM.judge("the appliance's")
	c := Check{ID: IDClocks, Status: OK, Evidence: "against this machine's clock: " + clientSays + "; " + hsmSays}
	switch {
	case client == Warning || hsm == Warning:
		c.Status = Warning
		c.Hint = "set the clocks right (NTP) before certificates are made: one that is not yet valid shows as a bare connection reset (errno 104)"
	case client == Unknown || hsm == Unknown:
		c.Status = Unknown
		c.Hint = "compare the clocks by hand: `date` on the client, `status date` on the appliance"
	}
	return c
}

// judge puts one clock into words.
func (k Clock) judge(whose string) (Status, string) {
	switch {
	case k.Problem != "":
		return Unknown, whose + " is not known: " + k.Problem
	case !k.Vague && k.Ahead.Abs() <= tolerance:
		return OK, whose + k.printed() + " agrees" + within(k.Ahead)
	case !k.Vague:
		return Warning, whose + k.printed() + " is " + apart(k.Ahead)
	}
	zone := "without a zone"
	if k.Zone != "" {
		zone = "in a zone called " + k.Zone
	}
	rest := k.Ahead - k.Ahead.Round(quarter)
	switch {
	case k.Ahead > eastmost+tolerance, k.Ahead < westmost-tolerance:
		return Warning, fmt.Sprintf("%s, printed %s, is %s UTC, which no zone explains", whose, zone, apart(k.Ahead))
	case rest.Abs() > tolerance:
		return Warning, fmt.Sprintf("%s, printed %s, is %s but for whole quarters of an hour", whose, zone, apart(rest))
	}
	return Unknown, fmt.Sprintf("%s, printed %s, is not known to the hour: nothing says how far that is from UTC", whose, zone)
}

// zones are those names of zones that stand for one difference to UTC wherever
// they are printed by the common tz data. Names that several places use, such as
// IST, CST or BST, are not among them.
func zones() map[string]time.Duration {
	const h = time.Hour
	return map[string]time.Duration{
		"WET": 0, "WEST": h, "CET": h, "CEST": 2 * h, "EET": 2 * h, "EEST": 3 * h, "MSK": 3 * h,
		"EST": -5 * h, "EDT": -4 * h, "CDT": -5 * h, "MST": -7 * h, "MDT": -6 * h, "PST": -8 * h, "PDT": -7 * h,
		"AKST": -9 * h, "AKDT": -8 * h, "HST": -10 * h, "JST": 9 * h, "KST": 9 * h, "HKT": 8 * h,
		"AWST": 8 * h, "AEST": 10 * h, "AEDT": 11 * h, "NZST": 12 * h, "NZDT": 13 * h,
	}
}

// settled is a clock whose zone is told by its name, read by that.
func (k Clock) settled() Clock {
	if offset, ok := zones()[k.Zone]; ok && k.Vague && k.Problem == "" {
		k.Ahead, k.Vague = k.Ahead-offset, false
	}
	return k
}

// printed tells the zone by whose name a clock was read, if it was by one.
func (k Clock) printed() string {
	if _, ok := zones()[k.Zone]; !ok {
		return ""
	}
	return ", printed in " + k.Zone + ","
}

// within is how far a clock that agrees is off, if it is at all.
func within(d time.Duration) string {
	if d.Abs() < 2*time.Second { // as precise as it was read
		return ""
	}
	return " (" + apart(d) + ")"
}

// apart is a difference in words.
func apart(d time.Duration) string {
	if d < 0 {
		return span(-d) + " behind"
	}
	return span(d) + " ahead"
}

func span(d time.Duration) string {
	const day = 24 * time.Hour
	d = d.Round(time.Second)
	if d >= 2*day {
		return fmt.Sprintf("%d days", d/day)
	}
	return d.String()
}

// validity asks of each certificate what the other side's clock makes of it.
func (s Seen) validity() Check {
	c := Check{ID: IDValidity, Status: OK}
	var says []string
	note := func(status Status, text string) {
		says = append(says, text)
		if order(status) > order(c.Status) {
			c.Status = status
		}
	}
	if s.Own != nil {
		note(valid("the client's certificate", s.Own, s.Now, s.HSM, "the appliance's"))
	} else {
		note(s.unborn())
	}
	if s.Server != nil {
		note(valid("the appliance's certificate", s.Server, s.Now, s.Client, "the client's"))
	}
	c.Evidence = strings.Join(says, "; ")
	if c.Status == Problem || c.Status == Warning {
		c.Hint = "whoever is shown a certificate that its own clock holds for invalid resets the connection without a word (errno 104): set the clocks right, or make the certificate anew"
	}
	return c
}

// order is how bad a status is.
func order(s Status) int {
	switch s {
	case OK:
	case Unknown:
		return 1
	case Warning:
		return 2
	case Problem:
		return 3
	}
	return 0
}

// unborn judges a pair that is still to be made, with the client's clock.
func (s Seen) unborn() (Status, string) {
	if s.Client.Problem != "" || s.HSM.Problem != "" || s.HSM.Vague {
		return Unknown, "the client has no certificate yet, and one clock is not known to the minute"
	}
	if behind := s.Client.Ahead - s.HSM.Ahead; behind > tolerance {
		return Warning, fmt.Sprintf("the client has no certificate yet; one that is made now may not be valid for the appliance, whose clock is %s behind the client's", span(behind))
	}
	return OK, "the client has no certificate yet; one that is made now is valid for the appliance"
}

// valid judges a certificate by a clock, whatever zone a vague one may be in.
func valid(what string, cert *x509.Certificate, now time.Time, by Clock, whose string) (Status, string) {
	if by.Problem != "" {
		return Unknown, what + " could not be judged: " + whose + " clock is not known"
	}
	early := now.Add(by.Ahead)
	late := early
	if by.Vague {
		early, late = early.Add(-eastmost), late.Add(-westmost)
	}
	from, until := cert.NotBefore.UTC().Format(time.RFC3339), cert.NotAfter.UTC().Format(time.RFC3339)
	switch {
	case late.Before(cert.NotBefore):
		return Problem, fmt.Sprintf("%s is valid from %s on, which is not yet by %s clock", what, from, whose)
	case early.After(cert.NotAfter):
		return Problem, fmt.Sprintf("%s was valid until %s, which is over by %s clock", what, until, whose)
	case early.Before(cert.NotBefore), late.After(cert.NotAfter):
		return Unknown, fmt.Sprintf("%s is valid from %s to %s, and the zone of %s clock is not known", what, from, until, whose)
	}
	return OK, what + " is valid by " + whose + " clock"
}
