package matrix

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"ntl-setup/fixtures/lab"
	"ntl-setup/fixtures/luna"
)

// TestKill kills the built program at random moments, also while a slow `vtl
// createCert` is at work, and runs it once more. KILL_SEED in the environment
// repeats a run; KILLS makes it another number than 20.
func TestKill(t *testing.T) {
	t.Parallel()
	seed := uint64(number(t, "KILL_SEED", int(time.Now().UnixNano()&0x7fffffff)))
	t.Logf("KILL_SEED=%d", seed)
	random := rand.New(rand.NewPCG(seed, 7))
	type moment struct {
		name  string
		kind  lab.Kind
		slow  int // milliseconds that createCert takes between its two files
		after time.Duration
	}
	var moments []moment
	for i := range number(t, "KILLS", 20) {
		m := moment{kind: kindOf(i), slow: i / 2 % 2 * 1500}
		m.after = time.Duration(random.IntN(2000+m.slow)) * time.Millisecond
		m.name = fmt.Sprintf("%s, killed after %s, createCert takes %d ms", m.kind, m.after, m.slow)
		moments = append(moments, m)
	}
	each(moments, 10, func(m moment) {
		r, err := newReal(t, m.name, lab.Options{Kind: m.kind, Vtl: luna.VtlSettings{DelayMS: m.slow}})
		if err != nil {
			t.Errorf("%s: %v", m.name, err)
			return
		}
		defer r.close()
		if err := r.kill(m.after); err != nil {
			r.errorf("%v", err)
			return
		}
		r.finish()
	})
}

// kill starts the program and ends it without a word.
func (r *real) kill(after time.Duration) error {
	cmd := r.command(context.Background(), r.lab.ClientTarget, r.lab.HSMTarget, r.lab.KnownHosts)
	if err := cmd.Start(); err != nil {
		return err
	}
	timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() }) // it may have ended
	defer timer.Stop()
	_ = cmd.Wait() // killed, or done before
	return nil
}

// number is a number from the environment.
func number(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}
