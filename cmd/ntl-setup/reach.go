package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ntl-setup/cmd/internal/config"
	"ntl-setup/steps"
	"ntl-setup/transport"
	"ntl-setup/transport/lunash"
	"ntl-setup/transport/ssh"
	"ntl-setup/transport/sudo"
)

// patience is how long a machine is tried again.
type patience struct {
	// full: that says it has no session free. Somebody's will be over.
	full time.Duration
	// away: that ends the connection without a reason. It may have no session
	// free, as while other runs are at work; or it lets nobody in, and will not
	// change its mind.
	away time.Duration
	// pause: the longest between two attempts.
	pause time.Duration
}

// patient is what the flags give: one wait, and for what may be in vain no more
// than half the run.
func (j job) patient() patience {
	if j.patience != (patience{}) {
		return j.patience
	}
	away := j.config.StepTimeout
	if half := j.config.Timeout / 2; half > 0 {
		away = min(away, half)
	}
	return patience{full: j.config.StepTimeout, away: away, pause: 5 * time.Second}
}

// reached is a link whose two hosts are connected and recognised.
type reached struct {
	ends
	appliance lunash.Appliance
	site      *steps.Site
	lent      bool // the connections are others' to close
}

func (r *reached) close() {
	if r.lent {
		return
	}
	if r.appliance != nil {
		_ = r.appliance.Close() // the connection ends next, and with it the shell
	}
	r.ends.close()
}

// credentials are the passwords of both ends, for as many connections as it takes: each is
// asked for once, and one that was refused is not offered again.
type credentials struct {
	client, hsm *ssh.Password
	sudo        *sudo.Password
	hops        *hops
	passphrases *ssh.Passphrases
}

func (j job) credentials() credentials {
	var client login
	return credentials{
		sudo:        sudo.NewPassword(j.sudoPassword(&client)),
		client:      ssh.NewPassword(client.remembers(j.questions.password(j.link.Client, "--client-password-file", config.EnvClientPassword))),
		hsm:         ssh.NewPassword(j.questions.password(j.link.HSM, "--hsm-password-file", config.EnvHSMPassword)),
		hops:        newHops(j.questions),
		passphrases: j.questions.passphrases(j.config.Passphrase),
	}
}

// reach connects to both hosts and recognises them. While an appliance has no
// session for that, its connection is given back.
func (j job) reach(ctx context.Context) (*reached, error) {
	if j.shared != nil {
		return j.meet(ctx)
	}
	known := j.credentials()
	var r *reached
	err := j.patiently(ctx, func() (err error) {
		r = &reached{}
		defer func() {
			if err != nil {
				r.close()
			}
		}()
		j.view.Progress("connecting to " + j.link.Client.Name() + " and " + j.link.HSM.Name())
		if r.ends, err = j.connect(ctx, known); err != nil {
			return err
		}
		r.appliance = lunash.New(r.hsm, lunash.Options{
			CommandTimeout: j.config.StepTimeout, Patience: j.patient().full / 2, // within the step's own time
		})
		j.view.Progress("recognising both hosts")
		r.site, err = j.open(ctx, steps.Hosts{Client: r.client, Elevate: r.elevate, HSM: r.appliance, Probe: probes()})
		return err
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// patiently tries again, with growing pauses, what failed for want of a session.
func (j job) patiently(ctx context.Context, try func() error) error {
	const first = 500 * time.Millisecond
	p := j.patient()
	began, told := time.Now(), ""
	for pause := first; ; pause = min(2*pause, p.pause) {
		err := try()
		limit := p.full
		if errors.Is(err, transport.ErrTurnedAway) && !errors.Is(err, transport.ErrNoSession) {
			limit = p.away
		}
		switch {
		case err == nil, ctx.Err() != nil, !errors.Is(err, transport.ErrTurnedAway) && !errors.Is(err, transport.ErrNoSession):
			return err
		case time.Since(began)+pause >= limit:
			return err
		}
		if told != err.Error() {
			told = err.Error()
			j.view.Note(fmt.Sprintf("%s; trying again for up to %v (all sessions may be in use)", told, limit))
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return err
		}
	}
}

// onceEach is say without what it has said before. One caller at a time.
func onceEach(say func(string)) func(string) {
	said := map[string]bool{}
	return func(text string) {
		if !said[text] {
			said[text] = true
			say(text)
		}
	}
}
