package lunash

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
	"time"

	"ntl-setup/transport"
)

// The terminal that is asked for: no command line of ours is wider.
const (
	columns = 240
	rows    = 50
)

// farewell is how long "quit" may take to be answered.
const farewell = 10 * time.Second

// shell is one lunash session. One command at a time; after any error, or a
// reply without a trailer, nobody knows what it will say next: it is to be
// closed, and another opened.
type shell struct {
	name   string
	stream transport.Stream
	match  matcher
	pump   *pump
	o      Options
	taken  int64  // bytes of text that await has handed out
	banner string // what was shown before the first prompt
	once   sync.Once
}

// openShell logs in: it returns once the first prompt has been seen.
func (a *appliance) openShell(ctx context.Context) (*shell, error) {
	const doing = "open a terminal"
	stream, err := a.conn.Terminal(ctx, columns, rows)
	switch {
	case err != nil && a.entered.Load():
		return nil, asTransport(a.Name(), doing, err) // whoever was let in is not turned away
	case err != nil:
		return nil, unopened(asTransport(a.Name(), doing, err))
	}
	m, err := a.newMatcher()
	if err != nil {
		_ = stream.Close() // the matcher's error is the better one
		return nil, asTransport(a.Name(), doing, err)
	}
	s := &shell{name: a.Name(), stream: stream, match: m, pump: newPump(stream, m, a.o.MaxReply), o: a.o}
	go s.pump.run()
	if err := s.login(ctx); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// close ends the session and waits for its goroutines.
func (s *shell) close() {
	s.abort()
	s.match.close()
	<-s.pump.done
}

// abort unblocks whatever waits for the far side.
func (s *shell) abort() {
	s.once.Do(func() { _ = s.stream.Close() }) // a session given up has no use for its error
}

// login waits for the first prompt. Nothing is sent, whatever is asked.
func (s *shell) login(ctx context.Context) error {
	stop := context.AfterFunc(ctx, s.abort)
	defer stop()
	text, end, err := s.collect(ctx, anything, judgeLogin)
	if err != nil {
		return s.loginFault(ctx, text, err)
	}
	switch {
	case end == demand && s.over():
		return s.loginFault(ctx, text, transport.ErrClosed)
	case end == question, end == demand:
		return loginQuestion(s.name, text)
	}
	s.banner = text
	return nil
}

// over reports whether the session has ended.
func (s *shell) over() bool {
	select {
	case <-s.pump.done:
		return true
	default:
		return false
	}
}

// idle takes what came unasked since the last command, and reports whether the
// shell waits at its prompt: nothing came but more prompts.
func (s *shell) idle(ctx context.Context) bool {
	var late strings.Builder
	for s.pump.fed.Load() != s.taken {
		part, err := s.match.await(ctx, anything)
		s.taken += int64(len(part))
		late.WriteString(part)
		if err != nil {
			return false
		}
	}
	return !s.over() && onlyPrompts.MatchString(late.String())
}

// run sends one line and reads the reply, which may be one without a trailer.
func (s *shell) run(ctx context.Context, line Line) (reply, error) {
	stop := context.AfterFunc(ctx, s.abort)
	defer stop()
	sent := line.String()
	s.pump.allow(s.o.MaxReply)
	if _, err := io.WriteString(s.stream, sent+"\n"); err != nil {
		return reply{}, s.fault(ctx, "send '"+sent+"'", "", err)
	}
	text, end, err := s.collect(ctx, wake, func(text string) ending { return judgeReply(text, sent) })
	switch {
	case err != nil:
		return reply{}, s.fault(ctx, "answer to '"+sent+"'", stripEcho(text, sent), err)
	case end == question:
		return reply{}, s.decline(ctx, sent, text)
	}
	return readReply(text, sent), nil
}

// decline ends a command that asks something: with "quit", or, where a secret
// is asked for, without typing anything. The shell is given up either way.
func (s *shell) decline(ctx context.Context, sent, text string) error {
	refusal := &ReplyError{Host: s.name, Command: sent, Code: noTrailer, Text: shorten(stripEcho(text, sent)), Kind: ErrNeedsLogin}
	if asksSecret(text) {
		return refusal
	}
	refusal.Kind = ErrQuestion
	if _, err := io.WriteString(s.stream, "quit\n"); err != nil {
		return refusal // the question is what matters
	}
	// The answer is waited for so that it is read before the session is cut; it
	// changes nothing about the outcome.
	ctx, cancel := context.WithTimeout(ctx, farewell)
	defer cancel()
	if _, _, err := s.collect(ctx, wake, judgeFarewell); err != nil {
		return refusal
	}
	return refusal
}

// collect gathers text until judge sees an ending that stands: one that is
// proved, or after which the appliance is silent for as long as it takes. wake
// is the end of a text that is worth a judgement.
func (s *shell) collect(ctx context.Context, wake *regexp.Regexp, judge func(text string) ending) (string, ending, error) {
	var all strings.Builder
	for {
		pattern, end := wake, judge(all.String())
		if end == proved {
			return all.String(), end, nil
		}
		if end != unfinished {
			silent, err := s.silent(ctx, end.patience(s.o.SettleQuiet))
			if err != nil || silent {
				return all.String(), end, err
			}
			pattern = anything
		}
		part, err := s.match.await(ctx, pattern)
		s.taken += int64(len(part))
		all.WriteString(part)
		if err != nil {
			return all.String(), unfinished, err
		}
	}
}

// silent waits for a time in which nothing arrives; false as soon as something
// does. Once the session has ended, the silence is complete.
func (s *shell) silent(ctx context.Context, d time.Duration) (bool, error) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		if s.pump.fed.Load() != s.taken {
			return false, nil
		}
		select {
		case <-s.pump.arrived: // maybe an old token: the count decides
		case <-timer.C:
			return s.pump.fed.Load() == s.taken, nil
		case <-s.pump.done:
			if s.pump.over.Load() {
				return false, transport.ErrTooLarge
			}
			return s.pump.fed.Load() == s.taken, nil
		case <-ctx.Done():
			return false, context.Cause(ctx)
		}
	}
}

// fault is the error of a session that failed while doing something; text is
// what it had said.
func (s *shell) fault(ctx context.Context, doing, text string, err error) *transport.Error {
	class := transport.ClassConnect
	switch {
	case s.pump.over.Load():
		class, err = transport.ClassProtocol, fmt.Errorf("%w (%d bytes)", transport.ErrTooLarge, s.o.MaxReply)
	case ctx.Err() != nil:
		class, err = transport.ClassTimeout, context.Cause(ctx)
	default:
		err = s.lost(err)
	}
	text = shorten(text)
	message := doing + ": " + err.Error()
	switch {
	case text == "":
	case class == transport.ClassTimeout: // what it said is what it waits for
		message = doing + ": it said: " + text + "; and then " + err.Error()
	default:
		message += "; it had said: " + text
	}
	return &transport.Error{Class: class, Host: s.name, Message: message, Err: err}
}

// lost adds to the end of a session why reading from it failed, if it did.
func (s *shell) lost(err error) error {
	if s.over() && s.pump.err != nil {
		return fmt.Errorf("%w: %w", err, s.pump.err)
	}
	return err
}

// asTransport keeps an error that says whose turn it is, and makes one of any
// other.
func asTransport(host, doing string, err error) error {
	var known *transport.Error
	if errors.As(err, &known) {
		return err
	}
	return transport.Errorf(transport.ClassConnect, host, "%s: %w", doing, err)
}
