package steps

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"ntl-setup/orchestrator"
	"ntl-setup/transport"
)

// lacks are the paths that the user who looks has too few rights to.
type lacks struct{ read, write []string }

func (l lacks) any() bool { return len(l.read)+len(l.write) > 0 }

// String is "read a, nor write to b".
func (l lacks) String() string {
	var words []string
	if len(l.read) > 0 {
		words = append(words, "read "+some(l.read))
	}
	if len(l.write) > 0 {
		words = append(words, "write to "+some(l.write))
	}
	return strings.Join(words, ", nor ")
}

// some is the beginning of a list that a person is told.
func some(paths []string) string {
	const most = 2
	if len(paths) > most+1 {
		return fmt.Sprintf("%s and %d more", strings.Join(paths[:most], ", "), len(paths)-most)
	}
	return strings.Join(paths, ", ")
}

// recognise is the first look: everything at the usual places, and what they
// lead to. Where the user's own rights are not enough, it is done once more with
// more of them.
func (e *eyes) recognise(ctx context.Context, among []clientKind) (transport.Facts, error) {
	facts, err := e.lookAround(ctx, among)
	if err != nil || e.elevate == nil {
		return facts, err
	}
	user := facts[transport.System()].User
	no := lacking(among, e.link, facts)
	if user == "" || user == "0" || !no.any() && !e.link.Sudo {
		return facts, nil
	}
	err = e.elevate(ctx)
	switch {
	case err == nil:
		return e.lookAround(ctx, among)
	case ctx.Err() != nil, e.link.Sudo, orchestrator.Fail(err).Class != string(transport.ClassAuth):
		return nil, err
	case len(no.read) > 0:
		return nil, e.noRights(no, err)
	}
	e.unelevated = err // to look is enough for a plan
	return facts, nil
}

// noRights says what the user may not do, and why sudo does not help.
func (e *eyes) noRights(no lacks, why error) error {
	message := why.Error()
	var said *transport.Error
	if errors.As(why, &said) {
		message = said.Message
	}
	err := transport.Errorf(transport.ClassAuth, e.host.Name(), "this user may not %s; %s", no, message).
		WithHint("%s", orchestrator.Fail(why).Hint)
	err.Err = why
	return err
}

// lookAround asks at the usual places, and then for what the answers lead to: a
// configuration elsewhere, and the places that it names.
func (e *eyes) lookAround(ctx context.Context, among []clientKind) (transport.Facts, error) {
	facts, err := e.host.Look(ctx, firstLook(among, e.link)...)
	if err != nil {
		return nil, err
	}
	const most = 2
	for range most {
		var more []transport.Query
		for _, k := range among {
			if k.further != nil && e.link.mayBe(k, facts) {
				more = append(more, k.further(e.link, facts)...)
			}
		}
		more = slices.DeleteFunc(more, func(q transport.Query) bool { _, asked := facts[q]; return asked })
		if len(more) == 0 {
			break
		}
		answers, err := e.host.Look(ctx, more...)
		if err != nil {
			return nil, err
		}
		for q, a := range answers {
			facts[q] = a
		}
	}
	return facts, nil
}

// mayBe reports whether a host is of a kind, and of none that is asked before.
func (l Link) mayBe(k clientKind, facts transport.Facts) bool {
	if l.Kind != Auto && l.Kind != "" {
		return k.kind == l.Kind
	}
	for _, other := range kinds() {
		if other.system == k.system && other.is(l.Root, facts) {
			return other.kind == k.kind
		}
	}
	return false
}

// lacking is what the user may not do at the place that the look speaks for, or
// at the places that he cannot see into.
func lacking(among []clientKind, link Link, facts transport.Facts) lacks {
	var no lacks
	for _, k := range among {
		if k.lacks == nil || !link.mayBe(k, facts) {
			continue
		}
		for _, l := range k.all(link.Root, facts) {
			if hasVtl(l, facts) {
				return k.lacks(l, facts)
			}
			if dir := transport.Dir(path.Dir(l.Vtl)); facts[dir].Problem != "" {
				no.read = append(no.read, dir.Path)
			}
		}
		if conf, _ := confInUse(link.Root, facts); facts[transport.File(conf)].Problem != "" {
			no.read = append(no.read, conf)
		}
	}
	return no
}

// hasVtl reports whether vtl lies where a layout has it.
func hasVtl(l Layout, facts transport.Facts) bool {
	return slices.Contains(facts[transport.Dir(path.Dir(l.Vtl))].Names, path.Base(l.Vtl))
}

// closed refuses changes to a client whose files this user cannot write: better
// now than in the middle.
func (c *clientFacts) closed(changes []orchestrator.Change) orchestrator.Refusal {
	if len(changes) == 0 || len(c.lacks.write) == 0 {
		return orchestrator.Refusal{}
	}
	what := some(c.lacks.write)
	if c.user == "0" {
		return orchestrator.Refusal{
			Reason: fmt.Sprintf("not even root may write to %s: its file system is read-only, or it is mounted from elsewhere", what),
			Hint:   "in a container, make the change where these files come from, or mount them writable; nothing was changed",
		}
	}
	no := orchestrator.Refusal{
		Reason: "this user may not write to " + what,
		Hint:   "log in as root, or as a member of the group that these files belong to, or use --sudo",
	}
	if c.unelevated != nil {
		no.Reason += "; " + strings.TrimPrefix(transport.Printable(c.unelevated.Error()), c.host+": ")
		no.Hint = orchestrator.Fail(c.unelevated).Hint
	}
	return no
}

// barred is the same as an error of logging in, where more rights were asked for
// and not given: no decision helps then, and the first step that needs them says
// it for all.
func (c *clientFacts) barred(changes []orchestrator.Change) error {
	no := c.closed(changes)
	if no.Reason == "" || c.unelevated == nil || c.user == "0" {
		return nil
	}
	err := transport.Errorf(transport.ClassAuth, c.host, "%s", no.Reason).WithHint("%s", no.Hint)
	err.Err = c.unelevated
	return err
}

// shelter is where backups of the files of a directory go that takes no new ones:
// who may write to /etc/Chrystoki.conf may not make files beside it.
type shelter struct{ from, to string }

// understandRights takes in who looks, and what he may do.
func (e *eyes) understandRights(c *clientFacts, facts transport.Facts) {
	l := c.layout
	c.host, c.user, c.unelevated = e.host.Name(), facts[transport.System()].User, e.unelevated
	for _, k := range kinds() {
		if k.kind == l.Kind && k.lacks != nil {
			c.lacks = k.lacks(l, facts)
		}
	}
	if l.Kind != Linux {
		return
	}
	c.holders, c.remarks = facts[transport.Holders(linuxLibrary)], remarksOnLinux(l, e.link.Root, facts)
	if dir := path.Dir(l.Conf); facts[transport.Stat(dir)].Unwritable {
		c.shelter = shelter{from: dir, to: l.Locks}
	}
}

// holding is told where a run brings what programs that run already do not know.
func (e *eyes) holding(have proof) string {
	if !e.news && have.asked && len(have.confChanges()) == 0 && len(have.unreached(e.link)) == 0 {
		return ""
	}
	return have.client.holding()
}

// holding names the running programs that have the library loaded: they see a
// new slot when they are started anew. "" where there is nothing to tell.
func (c *clientFacts) holding() string {
	if c.layout.Kind != Linux {
		return ""
	}
	const most = 10
	var names []string
	for i, p := range c.holders.Processes {
		if i == most {
			names = append(names, fmt.Sprintf("%d more", len(c.holders.Processes)-most))
			break
		}
		names = append(names, fmt.Sprintf("%s (%d)", transport.Printable(p.Command), p.PID))
	}
	said := ""
	if len(names) > 0 {
		said = "; programs that run already with the library see a new slot only after their own restart, which is yours to do: " + strings.Join(names, ", ")
	}
	if c.holders.Problem != "" {
		said += "; which programs run with the library could not be told whole: " + transport.Printable(c.holders.Problem)
	}
	return said
}
