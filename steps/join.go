package steps

// Join works on the site under the lock that another link of the same client
// host holds, which must be held for as long as this one acts. leave ends that.
// What the site remembers of both hosts is forgotten: the other was at work.
func (s *Site) Join(other *Site) (leave func()) {
	s.do.lock = other.do.lock
	s.see.forget()
	return func() { s.do.lock = nil }
}

// Forget makes every next look reach the hosts: another link was at work there.
func (s *Site) Forget() { s.see.forget() }
