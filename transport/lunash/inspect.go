package lunash

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"time"

	"ntl-setup/transport"
)

// Inspector asks an appliance how it is set, with words that only read. An
// Appliance of this package is one; a fake need not be (see Inspect).
type Inspector interface {
	// Clock is `status date`.
	Clock(ctx context.Context) (Clock, error)
	// IPCheck is `ntls ipcheck show`: whether NTLS wants a client to come from the
	// address that it is registered by.
	IPCheck(ctx context.Context) (bool, error)
	// Serving is `service status ntls`: whether NTLS runs.
	Serving(ctx context.Context) (bool, error)
}

// Clock is a reading of the appliance's clock.
type Clock struct {
	// Time is the reading. Where Known is false it is the wall clock of a zone
	// that the text does not settle, written as if it were UTC.
	Time time.Time
	// Zone is the zone as printed ("UTC", "EDT", "+0200"); empty if none was.
	Zone string
	// Known: the zone is UTC or a number. Letters like EST or IST mean several.
	Known bool
}

// anyRead is how a refusal of these words is told: like that of any list.
const anyRead = clientList

// Clock is `status date`.
func (a *appliance) Clock(ctx context.Context) (Clock, error) {
	return read(ctx, a, anyRead, Cmd("status", "date"), ParseClock)
}

// IPCheck is `ntls ipcheck show`.
func (a *appliance) IPCheck(ctx context.Context) (bool, error) {
	return read(ctx, a, anyRead, Cmd("ntls", "ipcheck", "show"), ParseIPCheck)
}

// Serving is `service status ntls`.
func (a *appliance) Serving(ctx context.Context) (bool, error) {
	return read(ctx, a, anyRead, Cmd("service", "status", "ntls"), ParseServing)
}

// What `status date` prints is not published; these are the forms that clocks
// are printed in. Dates of numbers alone count only with the year in front:
// 03/04/2026 is two days.
var (
	timeOfDay = regexp.MustCompile(`(?:\b|T)(\d{1,2}):(\d{2}):(\d{2})(?:[.,]\d+)?(?:[ ]?([AaPp])\.?[Mm]\b\.?)?`)
	zoneAfter = regexp.MustCompile(`^[ ]?(Z\b|(?:UTC|GMT)?[+-]\d{2}:?\d{2}\b|[A-Z]{2,5}\b)`)
	yearFirst = regexp.MustCompile(`\b(\d{4})[-/](\d{1,2})[-/](\d{1,2})`)
	dayFirst  = regexp.MustCompile(`(?i)\b(\d{1,2})[ -](jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?[ -](\d{4})\b`)
	monthDay  = regexp.MustCompile(`(?i)\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.? (\d{1,2})\b`)
	aYear     = regexp.MustCompile(`\b(20\d{2})\b`)
)

// ParseClock reads the body of `status date`.
func ParseClock(text string) (Clock, error) {
	line := transport.Printable(text)
	at := timeOfDay.FindStringSubmatchIndex(line)
	year, month, day := dateIn(line)
	if at == nil || year == 0 {
		return Clock{}, notUnderstood("date and time", text)
	}
	group := func(n int) string {
		if at[2*n] < 0 {
			return ""
		}
		return line[at[2*n]:at[2*n+1]]
	}
	hour, minute, second := number(group(1)), number(group(2)), number(group(3))
	switch strings.ToLower(group(4)) {
	case "a":
		hour %= 12
	case "p":
		hour = hour%12 + 12
	}
	c := Clock{Time: time.Date(year, month, day, hour, minute, second, 0, time.UTC)}
	if hour > 23 || minute > 59 || second > 60 || c.Time.Month() != month || day == 0 {
		return Clock{}, notUnderstood("date and time", text)
	}
	if m := zoneAfter.FindStringSubmatch(line[at[1]:]); m != nil {
		c.Zone = m[1]
	}
	var offset time.Duration
	if offset, c.Known = offsetOf(c.Zone); c.Known {
		c.Time = c.Time.Add(-offset)
	}
	return c, nil
}

// dateIn finds a date; the year is 0 if there is none.
func dateIn(line string) (year int, month time.Month, day int) {
	if m := yearFirst.FindStringSubmatch(line); m != nil {
		return number(m[1]), time.Month(number(m[2])), number(m[3])
	}
	if m := dayFirst.FindStringSubmatch(line); m != nil {
		return number(m[3]), monthOf(m[2]), number(m[1])
	}
	m, y := monthDay.FindStringSubmatch(line), aYear.FindStringSubmatch(line)
	if m == nil || y == nil {
		return 0, 0, 0
	}
	return number(y[1]), monthOf(m[1]), number(m[2])
}

func monthOf(name string) time.Month {
	const names = "janfebmaraprmayjunjulaugsepoctnovdec"
	return time.Month(strings.Index(names, strings.ToLower(name))/3 + 1)
}

// number is a few decimal digits.
func number(digits string) int {
	n, err := strconv.Atoi(digits)
	if err != nil {
		return -1 // none that any caller accepts
	}
	return n
}

// offsetOf is how far a zone is ahead of UTC, if its name settles that.
func offsetOf(zone string) (time.Duration, bool) {
	rest := strings.TrimPrefix(strings.TrimPrefix(zone, "UTC"), "GMT")
	if rest == "Z" || rest == "" && zone != "" {
		return 0, true
	}
	if rest == "" || rest[0] != '+' && rest[0] != '-' {
		return 0, false
	}
	digits := strings.ReplaceAll(rest[1:], ":", "")
	offset := time.Duration(number(digits[:2]))*time.Hour + time.Duration(number(digits[2:]))*time.Minute
	if rest[0] == '-' {
		offset = -offset
	}
	return offset, true
}

var (
	// "NTLS client source IP validation : Disable" was seen in the field.
	ipValidation = regexp.MustCompile(`(?i)(?:validation|ip ?check)\b[^\n]*?\b(enable|disable)d?\b`)
	serving      = regexp.MustCompile(`(?i)\bntls\b[^\n]*?\bis (not )?(?:running|up|active|started)\b|\bntls\b[^\n]*?\bis (stopped|down|inactive)\b`)
)

// ParseIPCheck reads the body of `ntls ipcheck show`.
func ParseIPCheck(text string) (bool, error) {
	m := ipValidation.FindStringSubmatch(text)
	if m == nil {
		return false, notUnderstood("setting of the client IP check", text)
	}
	return strings.EqualFold(m[1], "enable"), nil
}

// ParseServing reads the body of `service status ntls`.
func ParseServing(text string) (bool, error) {
	m := serving.FindStringSubmatch(text)
	if m == nil {
		return false, notUnderstood("state of ntls", text)
	}
	return m[1] == "" && m[2] == "", nil
}
