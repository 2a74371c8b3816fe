package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"ntl-setup/cmd/internal/config"
	"ntl-setup/cmd/internal/ui"
	"ntl-setup/transport"
	"ntl-setup/transport/sudo"
)

// bindRights are the flags that say with what rights the client host is worked on.
func bindRights(c *cobra.Command, f *config.RightsFlags) {
	fs := c.Flags()
	fs.BoolVar(&f.Sudo, "sudo", false, "work on the client as root by sudo, also where the user's own rights seem\nenough (where they are not, sudo is used without this flag)")
	fs.StringVar(&f.SudoPasswordFile, "sudo-password-file", "", "`file` with the password that sudo wants there; or "+config.EnvSudoPassword+"\n(default: the client user's password, if that was the login's)")
	fs.StringVar(&f.SudoPasswordCommand, "sudo-password-command", "", "shell `command` whose first line of output is the password that sudo wants")
	fs.StringVar(&f.ConfigPath, "client-config-path", "", "`directory` of Chrystoki.conf on the client: ChrystokiConfigurationPath, where\nits SSH session does not set it (minimal client)")
}

// login remembers the password that the client's user logged in with.
type login struct{ password string }

// remembers is a source of a password that is also kept for sudo. It is asked
// only if the host wants a password; where the host did not take it, there is no
// connection to use sudo over.
func (l *login) remembers(source func(context.Context) (string, error)) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		text, err := source(ctx)
		if err == nil {
			l.password = text
		}
		return text, err
	}
}

// sudoPassword is where the password that sudo wants comes from: what was given
// for it, the login's own, the terminal.
func (j job) sudoPassword(known *login) func(context.Context) (string, error) {
	rights, name := j.link.Rights, j.link.Client.Name()
	return func(ctx context.Context) (text string, err error) {
		switch {
		case rights.Password != nil:
			return rights.Password.Reveal(), nil
		case rights.Command != nil:
			end := j.link.Client
			end.Command, end.CommandFlag = rights.Command, config.SudoPasswordCommand
			return j.questions.fromCommand(ctx, end)
		case known.password != "":
			return known.password, nil
		}
		err = j.questions.ask(ctx, func(t asker) error {
			text, err = t.Secret(ctx, transport.Printable(name)+" password for sudo: ")
			return err
		})
		switch {
		case errors.Is(err, ui.ErrNoTerminal):
			return "", transport.Errorf(transport.ClassAuth, name, "sudo wants a password: %w", err).
				WithHint("--sudo-password-file or %s gives it", config.EnvSudoPassword)
		case err == nil && text == "":
			return "", transport.Errorf(transport.ClassAuth, name, "sudo wants a password; none was typed, and none was tried")
		}
		j.questions.secrets.Add(text)
		return text, err
	}
}

// rights are those that the client user has, and may get.
func (j job) rights(r transport.Runner, known credentials) *sudo.Runner {
	return sudo.New(r, sudo.Options{ConfigDir: j.link.Rights.ConfigPath, Password: known.sudo})
}
