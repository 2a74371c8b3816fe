package ssh

import (
	"context"
	"errors"
	"time"

	"golang.org/x/crypto/ssh"
)

// slotPatience is how long a peer may take to count a session of ours as ended.
const slotPatience = 3 * time.Second

// session opens a channel. A peer that allows few of them (MaxSessions) frees the
// place of one that has ended only when it has heard of it: so soon after, a
// refusal is no last word.
func (c *conn) session(ctx context.Context) (*ssh.Session, error) {
	const first, most = 10 * time.Millisecond, 300 * time.Millisecond
	for pause := first; ; pause = min(2*pause, most) {
		s, err := await(ctx, c.client.NewSession, c.closeSession)
		if err == nil || !full(err) || !c.endedLately() {
			return s, err
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, err // why it had to wait says more than that it did
		}
	}
}

// full reports whether a channel was refused for want of room. OpenSSH says
// "connection failed" where RFC 4254 has "resource shortage".
func full(err error) bool {
	var refused *ssh.OpenChannelError
	return errors.As(err, &refused) && (refused.Reason == ssh.ResourceShortage || refused.Reason == ssh.ConnectionFailed)
}

// closeSession asks the peer to end a channel. It waits for nothing, not even
// for the request to leave: the wire to a dead peer may be full. That the channel
// is closed already is no error, but what was wanted.
func (c *conn) closeSession(s *ssh.Session) {
	c.mu.Lock()
	c.freed = time.Now()
	c.mu.Unlock()
	go func() { _ = s.Close() }()
}

// endedLately reports whether a session of ours has just ended.
func (c *conn) endedLately() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.freed.IsZero() && time.Since(c.freed) < slotPatience
}
