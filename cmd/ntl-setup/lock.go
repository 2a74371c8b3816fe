package main

import (
	"context"
	"os"
	"os/user"

	"ntl-setup/orchestrator"
	"ntl-setup/steps"
)

// holding makes the engine hold the client host while it acts.
func (j job) holding(engine orchestrator.Engine, site *steps.Site) orchestrator.Engine {
	take := func(ctx context.Context) (func(), error) {
		release, err := site.Hold(ctx, steps.LockOptions{
			Owner: whoAmI(), PID: os.Getpid(), Reason: string(j.command) + " " + j.link.Name + " with " + j.link.HSM.Name(),
			Break: j.link.BreakLock, Warn: j.view.Warn,
		})
		if err == nil {
			j.interrupted.act() // until now a Ctrl-C ends the wait at once
		}
		return release, err
	}
	engine.Hold = take
	if j.shared != nil {
		engine.Hold = func(ctx context.Context) (func(), error) {
			return j.shared.client.hold(site, func() (func(), error) { return take(ctx) })
		}
	}
	return engine
}

// whoAmI is the user and the machine of this program, for others to ask.
func whoAmI() string {
	name, host := "somebody", "somewhere"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if h, err := os.Hostname(); err == nil {
		host = h
	}
	return name + "@" + host
}
