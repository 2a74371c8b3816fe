//go:build !race

package lunash

// splitStep is how far apart the cuts of TestReplayAtEverySplit are, in bytes.
const splitStep = 1
