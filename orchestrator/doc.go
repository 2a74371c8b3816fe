// Package orchestrator is the engine: it looks at a list of steps, shows what
// is not as it should be, and makes it so, one step at a time.
//
// A [Step] keeps one fact of the world true. Looking and acting are apart: a
// step can only be asked to look ([Step.Inspect]), and the act travels inside
// what was found ([Finding]), out of reach of everybody but the engine. So
// nothing can run that was not shown.
//
// It promises:
//   - [Engine.Plan] calls Inspect and nothing else;
//   - [Engine.Apply] first looks at every step; one conflict anywhere stops it
//     before the first act;
//   - an act runs only for a step whose difference was shown, at most once in a
//     run, and counts as done only when a second look confirms it;
//   - an act that returned an error is looked at once more before it is called
//     failed: a line may drop after the deed;
//   - a step that the first look showed in order is never acted on later in the
//     same run;
//   - no state outside the run: what a rerun does follows from the world alone;
//   - every wait ends with the context, with the step's Settle, or with the
//     step timeout.
//
// It refuses to know what the steps are about. It imports the standard library
// alone; errors of other packages are read through [ErrorClass] and
// [ErrorHint], methods that they may have.
package orchestrator
