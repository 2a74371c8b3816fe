// Package journal writes down what a run saw, what it was about to change and
// what came of it, for people to read afterwards.
//
// A run is a directory of its own (mode 0700) with journal.ndjson in it (0600):
// one JSON object a line, see [Entry]; other evidence may lie beside it.
//
// It promises:
//   - an act is on the disk (written and synced) before it begins, and again
//     when it has ended: a run that was killed in between shows an act that was
//     begun and not ended;
//   - an act that cannot be put on record is not begun: [Recorder.Record] says
//     so with an error of class "internal", also when what failed was an entry
//     that is written on the side;
//   - entries are only ever added; a line cut short by a full disk or a crash
//     spoils neither the ones before nor the ones after it;
//   - every text in an entry goes through [Options].Redact.
//
// It refuses to be a memory: nothing that acts reads it. [Runs], [Find] and what
// they return are for the command that shows journals, and losing all of them
// changes nothing. Nor does it ever delete one: what a run did to a bank's
// machines is for people to throw away. A run takes some ten KiB here.
//
// Like the engine's, its imports are the standard library's.
package journal
