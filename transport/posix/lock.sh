# Locks. DIR is the lock. DIR/TOKEN is an entry: one that holds the lock or is
# about to find out. DIR/TOKEN/beat is who that is, and its time is that of the
# last sign of life. A token is used once, ever.
#
# Two never hold it. Whoever takes it makes an entry and only then lists all of
# them; it holds the lock only if it found no other, and takes its entry back
# otherwise. Say two hold it, and A made its entry first. B listed after B's
# entry was made, so after A's: A's was gone by then. Only A takes it away, by
# letting go, or somebody who evicts it as dead; and a beat notices the latter.
#
# That needs no step of several commands to be undisturbed, and no two clocks
# to agree. Making DIR comes first so that of those who come at the same moment
# one wins at once; it proves nothing and need not.
#
# A dead entry is evicted by name, so that doing it twice, or late, harms nobody
# who came after. Its beat is set aside, judged where it lies, and the entry is
# removed only if it is empty then: a beat that comes in between is either among
# what is judged or in the way of the removal. So of many that evict, and of
# them and the holder itself, one has its will. DIR too is only removed empty.

# quiet SECONDS PATH: nothing about it changed for that long, by the clock of
# this machine. If find cannot tell: no.
quiet() { hit=$(find -H "$2" -newermt "$1 sec ago" -print 2>&1) && [ -z "$hit" ]; }

# evict TOKEN TEST...: takes the entry away if TEST still says so of its beat;
# false if it does not, or if somebody else was faster.
evict() {
	was=$dir/$1
	shift
	mv -f "$was/beat" "$was/last" 2>/dev/null
	if [ -f "$was/last" ] && ! "$@" "$was/last"; then
		mv -f "$was/last" "$was/beat" 2>/dev/null
		return 1
	fi
	rm -f "$was/last" "$was/next"
	rmdir "$was" 2>/dev/null
}

# held: somebody else does. Tells the first of them.
held() {
	for name in $(ls "$dir" 2>/dev/null); do
		[ "$name" = "$token" ] && continue
		printf '%s\n' "$name"
		cat "$dir/$name/beat" 2>/dev/null
		break
	done
	exit 75
}

# sign PRINTER: a sign of life. It makes no entry: without one it fails.
sign() { "$1" 2>/dev/null >"$dir/$token/next" && mv -f "$dir/$token/next" "$dir/$token/beat" 2>/dev/null; }

# withdraw: takes our entry away, and the lock if it was the last.
withdraw() {
	rm -f "$dir/$token/beat" "$dir/$token/next" "$dir/$token/last"
	rmdir "$dir/$token" 2>/dev/null || [ ! -d "$dir/$token" ] || return 1
	rmdir "$dir" 2>/dev/null
	return 0
}

# sweep SECONDS: evicts what is dead; false if nothing was.
sweep() {
	some=1
	for name in $(ls "$dir" 2>/dev/null); do
		quiet "$1" "$dir/$name" && evict "$name" quiet "$1" && some=0
	done
	return $some
}

# do_lock DIR TOKEN PRINTER SECONDS [HOLDER TEST...]
do_lock() {
	dir=$1
	token=$2
	text=$3
	age=$4
	shift 4
	# In a directory that a group shares, all of it may clear away what one left.
	[ ! -g "${dir%/*}" ] || umask 002
	cleared=
	[ $# = 0 ] || ! evict "$@" || cleared=yes
	if ! why=$(mkdir "$dir" 2>&1); then
		[ -d "$dir" ] || absent_lock
		sweep "$age" && cleared=yes
		# Empty and not of this moment: whoever made it has died since.
		[ -z "$cleared" ] && ! quiet "$age" "$dir" || rmdir "$dir" 2>/dev/null
		mkdir "$dir" 2>/dev/null || held
	fi
	mkdir "$dir/$token" 2>/dev/null || held
	if ! sign "$text" || ! just "$text" "$dir/$token/beat"; then
		withdraw
		fail "$dir: cannot be written (disk full?)"
	fi
	alone && return 0
	withdraw
	held
}

# absent_lock: DIR could not be made, and is not there: out of reach, or let go
# in this moment.
absent_lock() {
	taken "$dir" && fail "$dir: is no directory"
	case $why in
	*'File exists'*) held ;;
	esac
	fail "$why"
}

# alone: ours is the only entry. Of several that came at the same moment the
# first by name gives the others time to take theirs back, lest all do.
alone() {
	times=0
	while [ "$times" -lt 50 ]; do
		times=$(($times + 1))
		all=$(ls "$dir" 2>/dev/null)
		[ "$all" = "$token" ] && return 0
		case $all in
		"$token"*) ;;
		*) return 1 ;;
		esac
	done
	return 1
}

# do_beat DIR TOKEN PRINTER: where there is no room for a new text, the time of
# the old one will do.
do_beat() {
	dir=$1
	token=$2
	[ -d "$dir/$token" ] || held
	sign "$3" || touch -c "$dir/$token/beat" || fail "$dir: cannot be written"
	[ -d "$dir/$token" ] || held
}

do_unlock() {
	dir=$1
	token=$2
	withdraw || fail "$dir: cannot be removed"
}

# what_ever and just PRINTER: the tests of a take-over.
what_ever() { :; }
just() { "$1" 2>/dev/null | cmp -s - "$2"; }
