package probe

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"ntl-setup/transport"
)

// Schema is what a document calls itself.
const Schema = "ntl-probe/1"

// The results of a document.
const (
	OK     = "ok"     // every slot was asked
	Failed = "failed" // Error says why not
)

// Document is what ntl-probe says of one library.
type Document struct {
	Schema  string   `json:"schema"`
	Library string   `json:"library"` // its whole path; empty if none was found
	Result  string   `json:"result"`  // OK or Failed
	Exit    int      `json:"exit"`    // the exit status of ntl-probe
	About   *About   `json:"about,omitempty"`
	Slots   []Slot   `json:"slots"`           // in the library's own order
	Notes   []string `json:"notes,omitempty"` // remarks that change no result
	Error   *Failure `json:"error,omitempty"` // exactly when Result is Failed
}

// About is what a library says of itself (C_GetInfo).
type About struct {
	Manufacturer string `json:"manufacturer"`
	Description  string `json:"description"`
	Version      string `json:"version"` // of the library
	PKCS11       string `json:"pkcs11"`  // of the standard
}

// Slot is one slot, and the token in it if there is one.
type Slot struct {
	Slot        uint64 `json:"slot"` // its number; not stable, it shifts as partitions come and go
	Description string `json:"description"`
	Present     bool   `json:"present"`     // there is a token; the fields below are its own
	Initialised bool   `json:"initialised"` // CKF_TOKEN_INITIALIZED
	// Label may be empty (a Luna partition that was never initialised), and
	// several tokens may bear the same.
	Label        string `json:"label,omitempty"`
	Serial       string `json:"serial,omitempty"` // its identity
	Model        string `json:"model,omitempty"`
	Manufacturer string `json:"manufacturer,omitempty"`
	Firmware     string `json:"firmware,omitempty"` // "7.8"; Luna network slots may say 0.0
	// Problem is why this slot could not be asked; empty: it could.
	Problem string `json:"problem,omitempty"`
}

// Failure is why a library could not be asked.
type Failure struct {
	Class   string `json:"class"` // config, remote, timeout, interrupted or internal
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// Fail makes a document of a failure.
func Fail(library string, class transport.Class, hint, format string, args ...any) Document {
	return Document{
		Schema: Schema, Library: Text(library), Result: Failed, Exit: 1, Slots: []Slot{},
		Error: &Failure{Class: string(class), Message: Text(fmt.Sprintf(format, args...)), Hint: hint},
	}
}

// Largest is how much of a document is read, in bytes: more than a thousand
// slots have.
const Largest = 1 << 20

var errTooLarge = fmt.Errorf("the answer has more than %d bytes", Largest)

// Parse reads a document. What stands before and behind it, on lines of their
// own, is ignored. The error of what is none repeats how it begins.
func Parse(said []byte) (Document, error) {
	var d Document
	if len(said) > Largest {
		return d, errTooLarge
	}
	for line := range bytes.Lines(said) {
		if !bytes.HasPrefix(line, []byte("{")) {
			continue
		}
		d = Document{}
		if err := json.Unmarshal(line, &d); err == nil && d.Schema == Schema {
			return d, d.check()
		}
	}
	return d, fmt.Errorf("no answer of an ntl-probe: %s", beginning(said)) //nolint:err113 // for a person
}

// check refuses a document that contradicts itself.
func (d Document) check() error {
	switch {
	case d.Result == OK && d.Error == nil, d.Result == Failed && d.Error != nil:
		return nil
	}
	return errors.New("the answer says neither that it went well nor why not")
}

// beginning is the start of what was said, safe to show.
func beginning(said []byte) string {
	const most = 300
	text := transport.Printable(string(said[:min(len(said), most)]))
	if text == "" {
		return "it said nothing"
	}
	return text
}

// Text is a text of a library as a document holds it: without the blanks and
// zeros that pad it, and with an escape for each character that does not show
// itself, or that no UTF-8 has.
func Text(field string) string {
	field = strings.TrimRight(field, " \x00")
	var b strings.Builder
	for i, r := range field {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(field[i:], string(utf8.RuneError)):
			fmt.Fprintf(&b, `\x%02x`, field[i])
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r < utf8.RuneSelf:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}
