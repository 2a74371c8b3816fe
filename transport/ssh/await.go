package ssh

import "context"

// await runs a blocking call that knows no context. When the context ends
// first, the call is left behind and await returns the cause; what the call
// yields in the end goes to drop (if that is not nil), unless it failed.
func await[T any](ctx context.Context, call func() (T, error), drop func(T)) (T, error) {
	if ctx.Err() != nil {
		var none T
		return none, context.Cause(ctx) // nothing begins after the end
	}
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		v, err := call()
		done <- result{v, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
	}
	if drop != nil {
		go func() {
			if r := <-done; r.err == nil {
				drop(r.value)
			}
		}()
	}
	var none T
	return none, context.Cause(ctx)
}
