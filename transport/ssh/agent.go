package ssh

import (
	"context"
	"fmt"
	"io"
	"net"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

const (
	// agentList is how long an agent may take to list its keys: it has them in
	// memory, but may be forwarded over a slow line.
	agentList = 3 * time.Second
	// agentSign is how long it may take to sign: somebody may have to confirm it,
	// or to touch a token.
	agentSign = time.Minute
	// agentKeys bounds how many of an agent's keys are looked at.
	agentKeys = 100
)

// heldKey is a key that an agent has.
type heldKey struct {
	public  ssh.PublicKey
	comment string
}

// keyAgent is an ssh-agent, by its socket. Each question has a connection of its
// own, whose deadline ends it, so that an agent that hangs holds up nothing.
type keyAgent struct{ socket string }

// list asks for the keys. What is not a key is left out.
func (a keyAgent) list(ctx context.Context) ([]heldKey, error) {
	var held []heldKey
	err := a.ask(ctx, agentList, func(c agent.ExtendedAgent) error {
		keys, err := c.List()
		for _, k := range keys[:min(len(keys), agentKeys)] {
			public, err := ssh.ParsePublicKey(k.Blob)
			if err == nil {
				held = append(held, heldKey{public, k.Comment})
			}
		}
		return err
	})
	return held, err
}

// sign asks for a signature. An agent that signs otherwise than it was asked to
// (old ones know RSA with SHA-1 alone) has not signed.
func (a keyAgent) sign(ctx context.Context, key ssh.PublicKey, data []byte, algorithm string) (*ssh.Signature, error) {
	var flags agent.SignatureFlags
	switch algorithm {
	case ssh.KeyAlgoRSASHA256:
		flags = agent.SignatureFlagRsaSha256
	case ssh.KeyAlgoRSASHA512:
		flags = agent.SignatureFlagRsaSha512
	}
	var signature *ssh.Signature
	err := a.ask(ctx, agentSign, func(c agent.ExtendedAgent) (err error) {
		signature, err = c.SignWithFlags(key, data, flags)
		return err
	})
	if err == nil && signature.Format != algorithm {
		err = fmt.Errorf("the agent signed with %q and not with %s", signature.Format, algorithm)
	}
	return signature, err
}

// ask has one exchange with the agent, within a bound.
func (a keyAgent) ask(ctx context.Context, limit time.Duration, exchange func(agent.ExtendedAgent) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("ssh-agent gave no answer within %s", limit))
	defer cancel()
	c, err := new(net.Dialer).DialContext(ctx, "unix", a.socket)
	if err != nil {
		return fmt.Errorf("reach ssh-agent: %w", err)
	}
	defer func() { _ = c.Close() }()                         // everything was said
	stop := context.AfterFunc(ctx, func() { _ = c.Close() }) // unblocks the exchange
	defer stop()
	// Without a Close, the client has no goroutine that reads ahead, which an
	// agent could leave waiting by answers to nothing.
	plain := struct {
		io.Reader
		io.Writer
	}{c, c}
	if err := exchange(agent.NewClient(plain)); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return fmt.Errorf("ask ssh-agent: %w", err)
	}
	return nil
}
