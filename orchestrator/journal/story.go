package journal

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"ntl-setup/orchestrator"
)

// longestLine bounds an entry that is read, in bytes; a longer one was not
// written here.
const longestLine = 16 << 20

// idForm is what newID makes.
var idForm = regexp.MustCompile(`^\d{8}T\d{6}Z-[a-z2-7]{6}$`)

// Story is a journal as it was read.
type Story struct {
	ID    string // the name of the run's directory
	Dir   string
	Run   Run
	Began time.Time
	// End is how the run ended, Ended when; nil and zero if it is still at work
	// or was killed.
	End   *End
	Ended time.Time
	Links []LinkStory
	// Problem is why the journal could not be read to its end; empty: it could.
	Problem string
	// Spoilt is the number of lines that are no entries.
	Spoilt int
}

// LinkStory is what happened to one link.
type LinkStory struct {
	Link

	Steps []StepStory // in the order in which they were seen first
	End   *End        // nil: it did not come to that
}

// StepStory is what happened to one step.
type StepStory struct {
	Step // as it was last told of

	Begun    time.Time // its act began; zero: it had none
	Acted    time.Time // its act ended; zero: it has not, or nobody was there to tell
	Finished bool      // it has its final status
	Undo     []string  // what would undo the act
}

// Undo is what would undo one act, in the order in which to give the commands.
type Undo struct {
	Step     StepStory
	Commands []string
}

// Undo lists what would undo the acts of a link, the last act first. An act is
// listed once it was begun, whatever came of it.
func (l LinkStory) Undo() []Undo {
	acts := slices.DeleteFunc(slices.Clone(l.Steps), func(s StepStory) bool { return s.Begun.IsZero() })
	slices.SortStableFunc(acts, func(a, b StepStory) int { return b.Begun.Compare(a.Begun) })
	var undo []Undo
	for _, s := range acts {
		undo = append(undo, Undo{Step: s, Commands: s.Undo})
	}
	return undo
}

// Runs reads the last n runs under dir, the newest first. No dir, no runs.
func Runs(dir string, n int) ([]Story, error) {
	ids, err := list(dir)
	if err != nil {
		return nil, err
	}
	var stories []Story
	for _, id := range slices.Backward(ids) {
		if len(stories) == n {
			break
		}
		stories = append(stories, read(dir, id))
	}
	return stories, nil
}

// Find reads the run whose ID begins with prefix. The error says if there is
// none, or more than one.
func Find(dir, prefix string) (Story, error) {
	ids, err := list(dir)
	if err != nil {
		return Story{}, err
	}
	ids = slices.DeleteFunc(ids, func(id string) bool { return !strings.HasPrefix(id, prefix) })
	switch len(ids) {
	case 0:
		return Story{}, &Error{message: fmt.Sprintf("no run %q in %s", prefix, dir), hint: "ntl-setup journal lists the last runs"}
	case 1:
		return read(dir, ids[0]), nil
	}
	return Story{}, &Error{
		message: fmt.Sprintf("%d runs begin with %q", len(ids), prefix), hint: "more of the name tells them apart: " + strings.Join(ids[max(0, len(ids)-4):], ", "),
	}
}

// list is the IDs of all runs, the oldest first.
func list(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, &Error{message: fmt.Sprintf("the journals cannot be read: %v", err), err: err}
	}
	var ids []string
	for _, e := range entries {
		if e.IsDir() && idForm.MatchString(e.Name()) {
			ids = append(ids, e.Name())
		}
	}
	slices.Sort(ids)
	return ids, nil
}

// read reads one run as far as it can be read.
func read(dir, id string) Story {
	s := Story{ID: id, Dir: filepath.Join(dir, id)}
	f, err := os.Open(filepath.Join(s.Dir, fileName))
	if err != nil {
		s.Problem = err.Error()
		return s
	}
	defer f.Close() //nolint:errcheck // it was only read
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, longestLine)
	for lines.Scan() {
		var e Entry
		switch err := json.Unmarshal(lines.Bytes(), &e); {
		case len(lines.Bytes()) == 0:
		case err != nil:
			s.Spoilt++
		default:
			s.add(e)
		}
	}
	if err := lines.Err(); err != nil {
		s.Problem = err.Error()
	}
	return s
}

// add takes one entry in; one that does not fit is spoilt.
func (s *Story) add(e Entry) {
	switch {
	case e.Kind == KindRun && e.Run != nil:
		s.Run, s.Began = *e.Run, e.Time
	case e.Kind == KindEnd && e.End != nil:
		s.End, s.Ended = e.End, e.Time
	case e.Kind == KindLink && e.Of != nil && e.Link == len(s.Links)+1:
		s.Links = append(s.Links, LinkStory{Link: *e.Of})
	case e.Link < 1 || e.Link > len(s.Links):
		s.Spoilt++
	case e.Kind == KindLinkEnd && e.End != nil:
		s.Links[e.Link-1].End = e.End
	case e.Step != nil:
		s.Links[e.Link-1].add(e)
	default:
		s.Spoilt++
	}
}

// add takes in an entry about a step.
func (l *LinkStory) add(e Entry) {
	i := slices.IndexFunc(l.Steps, func(s StepStory) bool { return s.ID == e.Step.ID })
	if i < 0 {
		i = len(l.Steps)
		l.Steps = append(l.Steps, StepStory{})
	}
	s := &l.Steps[i]
	changes := s.Changes
	s.Step = *e.Step
	if len(s.Changes) == 0 {
		s.Changes = changes // what differed at first
	}
	switch e.Kind {
	case KindActing:
		s.Begun, s.Undo = e.Time, e.Step.Undo
	case KindActed:
		s.Acted = e.Time
	case KindCompleted:
		s.Finished = true
	default: // seen
	}
}

// State is how far a step came, in words: "begun, not ended" for an act whose
// end nobody recorded.
func (s StepStory) State() string {
	switch {
	case !s.Begun.IsZero() && s.Acted.IsZero() && !s.Finished:
		return "begun, not ended"
	case !s.Begun.IsZero() && !s.Finished:
		return "begun, ended, not confirmed"
	}
	return string(s.Status)
}

// Outcome is how a link ended, in a word.
func (l LinkStory) Outcome() orchestrator.Result {
	if l.End == nil {
		return "not ended"
	}
	return l.End.Result
}
