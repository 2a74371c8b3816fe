package lunash

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseClock(t *testing.T) {
	reading := time.Date(2026, time.November, 4, 14, 3, 9, 0, time.UTC)
	for text, want := range map[string]Clock{
		"Wed Nov  4 14:03:09 UTC 2026\n":                          {reading, "UTC", true},
		"\n\n   Wed Nov 4 14:03:09 GMT 2026":                      {reading, "GMT", true},
		"Wed Nov  4 14:03:09 EDT 2026":                            {reading, "EDT", false},
		"Wed Nov  4 14:03:09 2026":                                {reading, "", false},
		"Wed Nov 04 02:03:09 PM CET 2026":                         {reading, "CET", false},
		"The date is: 2026-11-04 14:03:09":                        {reading, "", false},
		"2026-11-04T14:03:09Z":                                    {reading, "Z", true},
		"2026-11-04T16:03:09+02:00":                               {reading, "+02:00", true},
		"2026/11/04 09:33:09.125 -0430":                           {reading, "-0430", true},
		"Wed, 04 Nov 2026 15:03:09 UTC+0100":                      {reading, "UTC+0100", true},
		"Date : 04-Nov-2026\r\nTime : 14:03:09 IST":               {reading, "IST", false},
		"Current date: November 4, 2026 14:03:09":                 {reading, "", false},
		"Wed 4 Nov 2026 12:03:09 AM UTC":                          {reading.Add(-14 * time.Hour), "UTC", true},
		"\x1b[1mWed Nov  4 12:03:09 pm UTC 2026\x1b[0m":           {reading.Add(-2 * time.Hour), "UTC", true},
		"Thu Jan  1 00:00:07 UTC 2015 (the battery may be empty)": {time.Date(2015, 1, 1, 0, 0, 7, 0, time.UTC), "UTC", true},
	} {
		got, err := ParseClock(text)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%q: %v\n%s", text, err, diff)
		}
	}
}

func TestParseClockDoesNotGuess(t *testing.T) {
	for _, text := range []string{
		"", "14:03:09", "Nov 4 2026", "Wed Nov 4 2026", "04/11/2026 14:03:09", "Nov 31 14:03:09 2026", "Nov 4 25:03:09 2026",
		"Nov 4 14:63:09 2026", "Nov 4 14:03:09", "2026-13-04 14:03:09", "2026-11-00 14:03:09", "the date is unknown", "Nov 4 14:03 2026",
	} {
		if c, err := ParseClock(text); classOf(err) != "protocol" {
			t.Errorf("%q: %+v, %v", text, c, err)
		}
	}
}

func TestParseIPCheck(t *testing.T) {
	for text, want := range map[string]bool{
		"NTLS client source IP validation : Disable\n": false,
		"NTLS client source IP validation : Enable":    true,
		"NTLS client source IP validation disabled":    false,
		"Client source IP validation is Enabled.":      true,
		"ntls ipcheck: enabled":                        true,
	} {
		if got, err := ParseIPCheck(text); err != nil || got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "validation", "enabled", "NTLS client source IP validation :\nDisable"} {
		if got, err := ParseIPCheck(text); classOf(err) != "protocol" {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

func TestParseServing(t *testing.T) {
	for text, want := range map[string]bool{
		"   ntls is running\n":     true,
		"   ntls is not running\n": false,
		"NTLS is stopped":          false,
	} {
		if got, err := ParseServing(text); err != nil || got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "ssh is running", "ntls"} {
		if got, err := ParseServing(text); classOf(err) != "protocol" {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

// Each is one line, all its words our own, and a refusal is told as one.
func TestInspecting(t *testing.T) {
	ok := "\r\n\r\nCommand Result : 0 (Success)\r\n" + hsmPrompt
	no := "Error:  Unknown command : status\r\n\r\nCommand Result : 65535 (Luna Shell execution)\r\n" + hsmPrompt
	replies := answer("Wed Nov  4 14:03:09 UTC 2026"+ok, "NTLS client source IP validation : Enable"+ok, "   ntls is not running"+ok, no, "what?"+ok)
	scene(t, Options{}, []script{replies}, func(t *testing.T, a *appliance, conn *fakeConn) {
		var i Inspector = a
		if c, err := i.Clock(t.Context()); err != nil || !c.Known || c.Time.Hour() != 14 {
			t.Errorf("%+v, %v", c, err)
		}
		if checked, err := i.IPCheck(t.Context()); err != nil || !checked {
			t.Errorf("%v, %v", checked, err)
		}
		if runs, err := i.Serving(t.Context()); err != nil || runs {
			t.Errorf("%v, %v", runs, err)
		}
		if _, err := i.Clock(t.Context()); !errors.Is(err, ErrNotAllowed) {
			t.Errorf("refused: %v", err)
		}
		if _, err := i.Clock(t.Context()); classOf(err) != "protocol" {
			t.Errorf("not understood: %v", err)
		}
		want := []string{"status date", "ntls ipcheck show", "service status ntls", "status date", "status date"}
		if diff := cmp.Diff(want, conn.lines()); diff != "" {
			t.Error(diff)
		}
	})
}

func FuzzParseClock(f *testing.F) {
	f.Add("Wed Nov  4 14:03:09 EDT 2026")
	f.Add("2026-11-04T16:03:09+02:00")
	f.Fuzz(func(t *testing.T, text string) {
		if c, err := ParseClock(text); err == nil && (c.Time.IsZero() || c.Time.Year() > 10000) {
			t.Errorf("%q: %+v", text, c)
		}
	})
}
