package lunash

import (
	"testing"

	"go.uber.org/goleak"
)

// No test may leave a goroutine behind: every session is closed to its end.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// matchers are the two ways to wait for text; what holds for one must hold for
// the other.
func matchers() map[string]func() (matcher, error) {
	return map[string]func() (matcher, error){
		"platform": newMatcher,
		"own":      func() (matcher, error) { return newOwnMatcher(), nil },
	}
}
