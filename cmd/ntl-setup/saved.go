package main

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime/debug"
	"strings"
	"time"

	"ntl-setup/cmd/internal/config"
	"ntl-setup/cmd/internal/ui"
	"ntl-setup/orchestrator"
	"ntl-setup/transport"
)

// planSchema names the form of a saved plan.
const planSchema = "ntl-setup-plan/2"

// largestPlan bounds a saved plan: some thousands of links.
const largestPlan = 64 << 20

// savedPlan is a plan that one person makes and another may approve. It holds
// what is wanted and what was shown, and no secret: where passwords come from is
// for whoever applies it to say, or for the file of links that it was made of.
type savedPlan struct {
	Schema  string      `json:"schema"`
	Made    string      `json:"made"` // RFC 3339, UTC
	By      string      `json:"by"`   // user@machine
	Version string      `json:"version"`
	Wanted  wantedFlags `json:"wanted"`
	File    *savedFile  `json:"file,omitempty"`
	Links   []savedLink `json:"links"`
	// Sum is the SHA-256 of everything else, so that a plan which was damaged or
	// edited is told from one that was shown.
	Sum string `json:"sum"`
}

// savedFile is the file of links that a plan was made of.
type savedFile struct {
	Name string `json:"name"` // whole path; what is beside it is looked for there
	Text string `json:"text"`
}

// savedLink is one link as it was shown.
type savedLink struct {
	ID     string              `json:"id,omitempty"` // client/hsm, as the file of links calls them
	Client string              `json:"client"`
	HSM    string              `json:"hsm"`
	Name   string              `json:"name"`
	Result orchestrator.Result `json:"result"`
	Steps  []savedStep         `json:"steps"`
	// Files are the client's files that the steps read or write: what each held,
	// as steps.Site.Digests tells it.
	Files map[string]string `json:"files,omitempty"`
}

// savedStep is one step as it was shown.
type savedStep struct {
	ID      string                `json:"id"`
	Status  orchestrator.Status   `json:"status"`
	Changes []orchestrator.Change `json:"changes"`
}

// wantedFlags are the flags that say what is wanted.
type wantedFlags struct {
	Client         string   `json:"client,omitempty"`
	HSM            string   `json:"hsm,omitempty"`
	Name           string   `json:"name,omitempty"`
	ClientAddress  string   `json:"client_address,omitempty"`
	HSMAddress     string   `json:"hsm_address,omitempty"`
	MapHostIP      string   `json:"map_host_ip,omitempty"`
	Partitions     []string `json:"partitions,omitempty"`
	ClientKind     string   `json:"client_kind,omitempty"`
	Sudo           bool     `json:"sudo,omitempty"`
	ConfigPath     string   `json:"client_config_path,omitempty"`
	Only           []string `json:"only,omitempty"`
	Skip           []string `json:"skip,omitempty"`
	ReplaceServer  bool     `json:"replace_server_certificate,omitempty"`
	RestartGateway bool     `json:"restart_gateway,omitempty"`
	FixModes       bool     `json:"fix_modes,omitempty"`
	SkipPreflight  bool     `json:"skip_preflight,omitempty"`
	LegacySSH      bool     `json:"legacy_ssh,omitempty"`
	ClientHostKey  string   `json:"client_host_key,omitempty"`
	HSMHostKey     string   `json:"hsm_host_key,omitempty"`
	HSMCertificate string   `json:"hsm_certificate,omitempty"`
	ClientRoot     string   `json:"client_root,omitempty"`
}

func wantedOf(f config.Flags) wantedFlags {
	return wantedFlags{
		Client: f.Client, HSM: f.HSM, Name: f.Name, ClientAddress: f.ClientAddress, HSMAddress: f.HSMAddress,
		MapHostIP: f.MapHostIP, Partitions: f.Partitions, ClientKind: f.ClientKind, Sudo: f.Rights.Sudo, ConfigPath: f.Rights.ConfigPath,
		Only: f.Only, Skip: f.Skip, ReplaceServer: f.ReplaceServer, RestartGateway: f.RestartGateway, FixModes: f.FixModes,
		SkipPreflight: f.SkipPreflight, LegacySSH: f.LegacySSH, ClientHostKey: f.ClientHostKey, HSMHostKey: f.HSMHostKey,
		HSMCertificate: f.HSMCertificate, ClientRoot: f.ClientRoot,
	}
}

// fill puts what is wanted into flags that say nothing of it.
func (w wantedFlags) fill(f *config.Flags) {
	f.Client, f.HSM, f.Name, f.ClientAddress, f.HSMAddress = w.Client, w.HSM, w.Name, w.ClientAddress, w.HSMAddress
	f.MapHostIP, f.Partitions, f.ClientKind, f.Rights.Sudo, f.Rights.ConfigPath = w.MapHostIP, w.Partitions, w.ClientKind, w.Sudo, w.ConfigPath
	f.Only, f.Skip, f.ReplaceServer, f.RestartGateway, f.FixModes = w.Only, w.Skip, w.ReplaceServer, w.RestartGateway, w.FixModes
	f.SkipPreflight, f.LegacySSH, f.ClientHostKey, f.HSMHostKey = w.SkipPreflight, w.LegacySSH, w.ClientHostKey, w.HSMHostKey
	f.HSMCertificate, f.ClientRoot = w.HSMCertificate, w.ClientRoot
}

// planFile is a new file that a plan is written to, whole or not at all. nil is
// none.
type planFile struct {
	file *os.File
	kept bool
}

// newPlanFile opens it before any host is asked: what cannot be kept need not be
// planned.
func newPlanFile(name string) (*planFile, error) {
	if name == "" {
		return nil, nil //nolint:nilnil // no plan is kept, and that is no error
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the user names the file
	if err != nil {
		return nil, transport.Errorf(transport.ClassConfig, "", "--out: %w", err).WithHint("a plan is written to a new file")
	}
	return &planFile{file: file}, nil
}

// abandon removes a file that no plan was written to.
func (p *planFile) abandon() {
	if p == nil || p.kept {
		return
	}
	_ = p.file.Close()           // nothing of it is kept
	_ = os.Remove(p.file.Name()) // half a plan is none
}

// save writes what was planned. file is the text of the file of links that it was
// made of, if it was: those very bytes, for the file itself may have been edited
// since it was read.
func (p *planFile) save(f config.Flags, file []byte, outcomes []ui.Outcome) error {
	text, err := planText(f, file, outcomes)
	if err == nil {
		_, err = p.file.Write(text)
	}
	if err == nil {
		err = p.file.Sync()
	}
	if err == nil {
		err = p.file.Close()
	}
	if err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	p.kept = true
	return nil
}

// planText is a plan as it is written.
func planText(f config.Flags, file []byte, outcomes []ui.Outcome) ([]byte, error) {
	info, _ := debug.ReadBuildInfo()
	p := savedPlan{
		Schema: planSchema, Made: time.Now().UTC().Format(time.RFC3339), By: whoAmI(), Version: versionLine(info),
		Wanted: wantedOf(f), Links: []savedLink{},
	}
	if f.File != "" {
		whole, err := filepath.Abs(f.File)
		if err != nil {
			return nil, fmt.Errorf("save the plan: %w", err)
		}
		p.File = &savedFile{Name: whole, Text: string(file)}
	}
	for _, o := range outcomes {
		p.Links = append(p.Links, savedLink{
			ID: o.ID, Client: o.Client, HSM: o.HSM, Name: o.Name, Result: o.Report.Result, Steps: shownSteps(o.Report.Steps), Files: o.Files,
		})
	}
	return p.signed()
}

func shownSteps(reports []orchestrator.StepReport) []savedStep {
	steps := []savedStep{}
	for _, s := range reports {
		steps = append(steps, savedStep{ID: s.Info.ID, Status: s.Status, Changes: append([]orchestrator.Change{}, s.Changes...)})
	}
	return steps
}

// signed is the plan as text, with its sum.
func (p savedPlan) signed() ([]byte, error) {
	p.Sum = ""
	text, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("save the plan: %w", err)
	}
	sum := sha256.Sum256(text)
	p.Sum = hex.EncodeToString(sum[:])
	if text, err = json.MarshalIndent(p, "", "  "); err != nil {
		return nil, fmt.Errorf("save the plan: %w", err)
	}
	return append(text, '\n'), nil
}

// errNoPlan is why a file is not taken for a plan.
var errNoPlan = errors.New("it does not say that it is one")

// loadPlan reads a saved plan and completes the flags by it.
func loadPlan(name string, f *config.Flags) (*savedPlan, error) {
	bad := func(format string, args ...any) error {
		return transport.Errorf(transport.ClassConfig, "", "%s: %w", name, fmt.Errorf(format, args...)).
			WithHint("ntl-setup plan --out FILE writes one")
	}
	info, err := os.Stat(name)
	if err != nil {
		return nil, transport.Errorf(transport.ClassConfig, "", "the plan: %w", err)
	}
	if info.Size() > largestPlan {
		return nil, bad("it is larger than %d bytes", largestPlan)
	}
	text, err := os.ReadFile(name) //nolint:gosec // the user names the file
	if err != nil {
		return nil, transport.Errorf(transport.ClassConfig, "", "the plan: %w", err)
	}
	var p savedPlan
	var form struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(text, &form); err == nil && form.Schema != planSchema && strings.HasPrefix(form.Schema, "ntl-setup-plan/") {
		return nil, bad("it is a plan of the form %q, and this version knows %q: make it anew", form.Schema, planSchema)
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&p); err != nil || p.Schema != planSchema {
		return nil, bad("it is no plan of this program: %w", cmp.Or(err, errNoPlan))
	}
	if again, err := p.signed(); err != nil || !bytes.Equal(bytes.TrimSpace(again), bytes.TrimSpace(text)) {
		return nil, bad("it is not as it was written: it was damaged or edited")
	}
	if !reflect.DeepEqual(wantedOf(*f), wantedFlags{}) || f.File != "" || f.RetryFailed != "" {
		return nil, transport.Errorf(transport.ClassConfig, "", "what is wanted stands in the plan; flags that say it anew are refused").
			WithHint("beside a plan: passwords and keys, -y, -o, time-outs, --parallel, --max-failures, --break-lock")
	}
	p.Wanted.fill(f)
	if p.File != nil {
		f.File, f.FileText, f.Links = p.File.Name, []byte(p.File.Text), []string{}
		for _, l := range p.Links {
			f.Links = append(f.Links, l.ID)
		}
	}
	return &p, nil
}
