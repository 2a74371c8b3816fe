package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"ntl-setup/transport/probe"
)

// table prints the slots of a library, one a line.
func table(w io.Writer, d probe.Document) error {
	about := d.Library
	if a := d.About; a != nil {
		about += ": " + strings.TrimSpace(a.Manufacturer+" "+a.Description) + " " + a.Version + ", PKCS#11 " + a.PKCS11
	}
	if _, err := fmt.Fprintln(w, about); err != nil {
		return err
	}
	if len(d.Slots) == 0 {
		_, err := fmt.Fprintln(w, "it has no slots")
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "SLOT\tLABEL\tSERIAL\tMODEL\tFIRMWARE\tTOKEN") // Flush has the error
	for _, s := range d.Slots {
		_, _ = fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%s\n", // likewise
			s.Slot, cell(s.Label), cell(s.Serial), cell(s.Model), cell(s.Firmware), state(s))
	}
	return t.Flush()
}

// cell is a text, or a sign that there is none.
func cell(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// state is a slot's last column.
func state(s probe.Slot) string {
	switch {
	case s.Problem != "":
		return "not asked: " + s.Problem
	case !s.Present:
		return "none"
	case !s.Initialised:
		return "not initialised"
	}
	return "initialised"
}
