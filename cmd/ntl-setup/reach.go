package main

import (
	"context"
	"errors"
	"time"

	"ntl-setup/cmd/internal/config"
	"ntl-setup/steps"
	"ntl-setup/transport"
	"ntl-setup/transport/lunash"
	"ntl-setup/transport/ssh"
)

// patience is how long a machine is tried again.
type patience struct {
	// full: that says it has no session free. Somebody's will be over.
	full time.Duration
	// away: that ends the connection without a reason. It may have no session
	// free; or it lets nobody in, and will not change its mind.
	away time.Duration
	// pause: the longest between two attempts.
	pause time.Duration
}

// patient is what the flags give: one wait.
func (j job) patient() patience {
	if j.patience != (patience{}) {
		return j.patience
	}
	const away = 30 * time.Second
	return patience{full: j.config.StepTimeout, away: min(away, j.config.StepTimeout), pause: 5 * time.Second}
}

// reached is a link whose two hosts are connected and recognised.
type reached struct {
	ends
	appliance lunash.Appliance
	site      *steps.Site
}

func (r *reached) close() {
	if r.appliance != nil {
		_ = r.appliance.Close() // the connection ends next, and with it the shell
	}
	r.ends.close()
}

// credentials are the passwords of both ends, for as many connections as it takes: each is
// asked for once, and one that was refused is not offered again.
type credentials struct{ client, hsm *ssh.Password }

func (j job) credentials() credentials {
	return credentials{
		client: ssh.NewPassword(j.questions.password(j.link.Client, "--client-password-file", config.EnvClientPassword)),
		hsm:    ssh.NewPassword(j.questions.password(j.link.HSM, "--hsm-password-file", config.EnvHSMPassword)),
	}
}

// reach connects to both hosts and recognises them. While an appliance has no
// session for that, its connection is given back.
func (j job) reach(ctx context.Context) (*reached, error) {
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
		r.site, err = j.open(ctx, steps.Hosts{Client: r.client, HSM: r.appliance})
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
		switch {
		case err == nil, ctx.Err() != nil:
			return err
		case errors.Is(err, transport.ErrNoSession) && time.Since(began)+pause < p.full:
		case errors.Is(err, transport.ErrTurnedAway) && time.Since(began)+pause < p.away:
		default:
			return err
		}
		if told != err.Error() {
			told = err.Error()
			j.view.Note(told + "; trying again")
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
