package journal

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"ntl-setup/orchestrator"
)

// fileName is the journal within the directory of its run.
const fileName = "journal.ndjson"

// Options are what may differ between runs.
type Options struct {
	// Redact takes the secrets out of a text; nil: there are none.
	Redact func(string) string
}

// Journal is the journal of a run that is at work. A nil *Journal keeps none:
// its methods do nothing. They may be called from several goroutines.
type Journal struct {
	dir    string
	redact func(string) string

	mu    sync.Mutex
	file  file
	links int
	torn  bool  // the last write stopped within a line
	err   error // why something is missing; nil: nothing is
}

// file is an open file.
type file interface {
	io.WriteCloser
	Sync() error
}

// Begin makes the directory of a run under dir (and dir itself, if need be), and
// puts the beginning on record. The error is an *[Error].
func Begin(dir string, run Run, o Options) (*Journal, error) {
	if o.Redact == nil {
		o.Redact = func(text string) string { return text }
	}
	if err := os.MkdirAll(dir, 0o700); err != nil { //nolint:gosec // the user names the place
		return nil, unkept(err)
	}
	own := filepath.Join(dir, newID(time.Now()))
	if err := os.Mkdir(own, 0o700); err != nil { //nolint:gosec // as above
		return nil, unkept(err)
	}
	f, err := os.OpenFile(filepath.Join(own, fileName), os.O_WRONLY|os.O_APPEND|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the user's own state directory
	if err != nil {
		return nil, unkept(err)
	}
	j := &Journal{dir: own, redact: o.Redact, file: f}
	run.PID = os.Getpid()
	err = j.add(Entry{Kind: KindRun, Run: &run}, true)
	if err == nil {
		err = syncDirs(own, dir)
	}
	if err != nil {
		_ = f.Close() // the error before is the one that counts
		return nil, unkept(err)
	}
	return j, nil
}

// newID names a run: the time, so that names sort, and something that no other
// run of the same second has.
func newID(now time.Time) string {
	const letters = 6
	return now.UTC().Format("20060102T150405Z") + "-" + strings.ToLower(rand.Text()[:letters])
}

// syncDirs makes the names of new files last; Windows does so by itself, and
// has no way to be asked.
func syncDirs(dirs ...string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	for _, dir := range dirs {
		d, err := os.Open(dir) //nolint:gosec // a directory that was just made
		if err != nil {
			return err
		}
		err = d.Sync()
		_ = d.Close() // it was only read
		if err != nil {
			return err
		}
	}
	return nil
}

// Dir is the directory of the run; empty if no journal is kept.
func (j *Journal) Dir() string {
	if j == nil {
		return ""
	}
	return j.dir
}

// Err is the first thing that could not be put on record; nil: nothing is
// missing.
func (j *Journal) Err() error {
	if j == nil {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.err
}

// Link begins the record of one link.
func (j *Journal) Link(l Link) *Recorder {
	if j == nil {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.links++
	_ = j.addLocked(Entry{Kind: KindLink, Link: j.links, Of: &l}, false) // remembered; the first act is refused for it
	return &Recorder{journal: j, n: j.links}
}

// End puts the end of the run on record and closes the journal. The error tells
// of anything that is missing.
func (j *Journal) End(result orchestrator.Result, exit int) error {
	if j == nil {
		return nil
	}
	_ = j.add(Entry{Kind: KindEnd, End: &End{Result: result, Exit: exit}}, true) // remembered
	err := j.Err()
	if closed := j.file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return unkept(err)
	}
	return nil
}

// add writes one entry, and, if it is to last, waits until it is on the disk. A
// failure is remembered.
func (j *Journal) add(e Entry, lasting bool) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.addLocked(e, lasting)
}

// addLocked is add for who holds the lock.
func (j *Journal) addLocked(e Entry, lasting bool) error {
	e.Time = time.Now().UTC()
	err := j.write(e.redacted(j.redact))
	if err == nil && lasting {
		err = j.file.Sync()
	}
	if err != nil && j.err == nil {
		j.err = err
	}
	return err
}

// write writes one line, with a single call.
func (j *Journal) write(e Entry) error {
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode an entry: %w", err)
	}
	if j.torn { // an empty line does no harm, one that is two halves does
		line = append([]byte("\n"), line...)
	}
	n, err := j.file.Write(append(line, '\n'))
	if n > 0 {
		j.torn = err != nil
	}
	return err
}

// Recorder is the record of one link. A nil *Recorder keeps none.
type Recorder struct {
	journal *Journal
	n       int
}

// Record is for [orchestrator.Engine].Record: it puts an act, about to begin or
// just ended, on the disk. An error (an *[Error]) means that something is
// missing on record, this event or an earlier one.
func (r *Recorder) Record(ev orchestrator.Event) error {
	if r == nil {
		return nil
	}
	kind := KindActed
	if ev.Kind == orchestrator.Acting {
		kind = KindActing
		if err := r.journal.Err(); err != nil {
			return unkept(err)
		}
	}
	if err := r.journal.add(Entry{Kind: kind, Link: r.n, Step: stepOf(ev.Step)}, true); err != nil {
		return unkept(err)
	}
	return nil
}

// Observe is an [orchestrator.Observer]: it puts on record what was seen and how
// steps ended. What fails here, the next act is refused for.
func (r *Recorder) Observe(ev orchestrator.Event) {
	if r == nil {
		return
	}
	var kind Kind
	switch ev.Kind {
	case orchestrator.Planned:
		kind = KindSeen
	case orchestrator.Completed:
		kind = KindCompleted
	default: // acts come by Record, the others tell nothing new
		return
	}
	step := stepOf(ev.Step)
	// An act which may never be begun has nothing to be undone.
	step.Undo = nil
	_ = r.journal.add(Entry{Kind: kind, Link: r.n, Step: step}, false) // remembered, see above
}

// End puts the end of the link on record.
func (r *Recorder) End(result orchestrator.Result, failure *orchestrator.Failure) {
	if r == nil {
		return
	}
	_ = r.journal.add(Entry{Kind: KindLinkEnd, Link: r.n, End: &End{Result: result, Error: failure}}, false) // Journal.End tells
}
