package main

import (
	"context"
	"errors"
	"sync"

	"ntl-setup/cmd/internal/config"
	"ntl-setup/cmd/internal/ui"
	"ntl-setup/transport"
	"ntl-setup/transport/ssh"
)

// passphrases opens the encrypted key files of both ends and of the hosts
// between, by what was given or by asking on the terminal.
func (q *questions) passphrases(given *config.Secret) *ssh.Passphrases {
	if given != nil {
		return ssh.NewPassphrases(given.Reveal(), nil)
	}
	return ssh.NewPassphrases("", func(ctx context.Context, path string) (text string, err error) {
		err = q.ask(ctx, func(t asker) error {
			text, err = t.Secret(ctx, "passphrase of "+transport.Printable(path)+": ")
			return err
		})
		if errors.Is(err, ui.ErrNoTerminal) {
			return "", transport.Errorf(transport.ClassAuth, "", "its passphrase is wanted: %w", err).
				WithHint("--identity-passphrase-file or %s gives it; an agent that holds the key needs none", config.EnvIdentityPassphrase)
		}
		q.secrets.Add(text)
		return text, err
	})
}

// hops has the passwords of jump hosts. They are only ever typed: what was given
// for an end is none of a jump host's business.
type hops struct {
	questions *questions

	mu    sync.Mutex
	known map[string]*ssh.Password // by the name of the host
}

func newHops(q *questions) *hops { return &hops{questions: q, known: map[string]*ssh.Password{}} }

// of is the password of one jump host, the same for both ends behind it.
func (h *hops) of(end config.End) *ssh.Password {
	h.mu.Lock()
	defer h.mu.Unlock()
	name := end.Target.Name
	if p, ok := h.known[name]; ok {
		return p
	}
	p := ssh.NewPassword(func(ctx context.Context) (text string, err error) {
		host := "jump host " + name
		err = h.questions.ask(ctx, func(t asker) error {
			text, err = t.Secret(ctx, transport.Printable(host)+" password: ")
			return err
		})
		switch {
		case errors.Is(err, ui.ErrNoTerminal):
			return "", transport.Errorf(transport.ClassAuth, host, "a password is wanted: %w", err).
				WithHint("a key that it accepts does without: ssh-agent, or IdentityFile in ~/.ssh/config; passwords of jump hosts are only ever typed")
		case err == nil && text == "":
			return "", transport.Errorf(transport.ClassAuth, host, "no password was typed, and none was tried")
		}
		h.questions.secrets.Add(text)
		return text, err
	})
	h.known[name] = p
	return p
}
