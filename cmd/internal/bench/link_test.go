package bench

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"ntl-setup/fixtures/accounts"
)

// roundTrip is that of the measurement. On a machine that has other work to do a
// longer one (NTL_BENCH_RTT=500ms) makes that work a smaller part of the figure.
func roundTrip() time.Duration {
	if d, err := time.ParseDuration(os.Getenv("NTL_BENCH_RTT")); err == nil && d > 0 {
		return d
	}
	return 50 * time.Millisecond
}

// rounds is how often each way is run (NTL_BENCH_ROUNDS); the least counts.
func rounds() int { return sizes("NTL_BENCH_ROUNDS", 3)[0] }

// figures are those of one way.
type figures struct{ cold, settled [2]cost } // at no distance and at roundTrip

// trips is how many round trips fit into the difference.
func trips(c [2]cost) float64 { return float64(c[1].wall-c[0].wall) / float64(roundTrip()) }

// BenchmarkOneLink measures one link, of a virgin site and of one that is in
// order, by each way.
//
// What a connection costs before its first word, by x/crypto/ssh as by OpenSSH's
// client: half a trip for the server's greeting and one and a half for the key
// exchange, one each for the service request, the method "none" and the password:
// 5; the opening of the TCP connection is one more, which the proxy does not
// show. Both connections are made side by side. A channel costs one for its
// opening and one for each request that must be answered before the next is
// sent: a command 3 with its answer, a terminal 3 up to the prompt, fetching by
// SCP 3 (opening, request, file), storing 3, each lunash command 1.
//
// A run that finds everything in order: 5 for the connections; 3 for lunash and 1
// for client list; then, beside the three lunash commands that remain, 3 for the
// appliance's certificate; the client's look (3) and the opening of the shell that
// stays there (2) go on meanwhile, and its vtl verify (1) ends it: 13.
//
// A first run: as above without vtl verify (12); the port of NTLS beside the
// clocks (2); the lock (1); the second look under it (3 to 4, by the appliance's
// files); the acts on the client, each with the look that confirms it, for steps
// 1, 3, 9, 10 and 12 (5), one look for 11 and one for 8 (2); copying the certificate
// and fetching it back (6); register, show and fingerprint (3); assign and show (2);
// giving the lock back (1). That is about 37. What is measured is between 31 and
// 38: some of what is counted one after the other above meets in time, and a trip
// or two hide in the second for which step 11 watches the gateway, which passes at
// any distance. The floor of what is confirmed this way is another 4 fewer: a
// channel for each copy could be opened before it is wanted (3), and a terminal
// asked for together with its shell (1).
func BenchmarkOneLink(b *testing.B) {
	p := build(b)
	servers := "in this process (real OpenSSH needs root)"
	var who *accounts.Account
	if accounts.Possible() {
		a := accounts.New(b)
		who, servers = &a, "OpenSSH"
	}
	var table strings.Builder
	out := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(out, "way\tround trips: first run\tin order\twall at 0 ms: first run\tin order\tCPU: first run\tin order\tlogins\tverified")
	for _, w := range ways() {
		if who == nil && w.verified == "no" {
			continue // the accounts of those servers have two passwords
		}
		b.Run(strings.ReplaceAll(w.name, " ", "-"), func(b *testing.B) {
			var f figures
			for b.Loop() {
				f = measure(b, p, who, w)
			}
			b.ReportMetric(trips(f.cold), "trips-first")
			b.ReportMetric(trips(f.settled), "trips-in-order")
			b.ReportMetric(0, "ns/op") // of all the rounds together: no figure
			_, _ = fmt.Fprintf(out, "%s\t%.1f\t%.1f\t%v\t%v\t%v\t%v\t%d\t%s\n", w.name, trips(f.cold), trips(f.settled),
				shown(f.cold[0].wall), shown(f.settled[0].wall), shown(f.cold[0].cpu), shown(f.settled[0].cpu), f.cold[0].logins, w.verified)
		})
	}
	_ = out.Flush() // into memory
	fmt.Printf("\nOne link, password authentication, round trip %v, servers: %s; least of %d rounds\n%s\n",
		roundTrip(), servers, rounds(), table.String())
}

func shown(d time.Duration) time.Duration { return d.Round(time.Millisecond) }

// measure runs a way on fresh sites, each twice: when it is virgin, and when it
// is in order.
func measure(b *testing.B, p programs, who *accounts.Account, w way) (f figures) {
	b.Helper()
	for range rounds() {
		for at, distance := range []time.Duration{0, roundTrip()} {
			s := site(b, p, who).away(b, distance)
			f.cold[at] = s.run(b, w).least(f.cold[at])
			for range rounds() {
				f.settled[at] = s.run(b, w).least(f.settled[at])
			}
		}
	}
	return f
}
