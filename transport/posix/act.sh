# Actions. A dead connection must not end the one in progress.
trap '' HUP PIPE

# act NUMBER FUNCTION WORD...: one action. Its output is collected here, so that
# a tool never writes to the connection. If nobody listens any more, the next
# action is not begun.
act() {
	i=$1
	shift
	text begun '' 2>/dev/null || exit 0
	out=$( ("$@") 2>&1 </dev/null; rc=$?; printf x; exit $rc)
	rc=$?
	text output "${out%x}"
	text status "$rc"
	failed "$1" "$rc" || return 0
	printf '%s done\n' "$mark"
	exit 0
}

# failed FUNCTION STATUS: a tool fails by its status only if it could not be
# started; what else it is worth, its caller knows.
failed() {
	case $1:$2 in
	do_run:126 | do_run:127) return 0 ;;
	do_run:*) return 1 ;;
	esac
	[ "$2" != 0 ]
}

fail() {
	printf '%s\n' "$1"
	exit 1
}

taken() { [ -e "$1" ] || [ -h "$1" ]; }

# same PRINTER FILE: the file holds exactly what the function PRINTER prints.
same() {
	"$1" 2>/dev/null | cmp -s - "$2"
	case $? in
	0) return 0 ;;
	1) return 1 ;;
	esac
	fail "$2: cannot be compared"
}

# beside FILE: names a temporary file in its directory, which does not outlive
# the action, whatever ends it.
beside() {
	[ -d "${1%/*}/" ] || fail "${1%/*}/: no such directory"
	tmp=${1%/*}/.${1##*/}.ntl-setup.$$
	umask 077
	trap 'rm -f "$tmp"' 0
	trap 'exit 143' 2 15
	rm -f "$tmp"
}

# settle FILE: the temporary file gets its name, if that is free.
settle() {
	ln "$tmp" "$1" 2>/dev/null && return 0
	taken "$1" && fail "$1: exists already"
	mv -f "$tmp" "$1" || exit 1
}

# follow PATH: the file at the end of its symbolic links, in target.
follow() {
	target=$1
	hops=0
	while [ -h "$target" ]; do
		hops=$(($hops + 1))
		[ "$hops" -le 16 ] || fail "$1: too many symbolic links"
		next=$(readlink "$target") || exit 1
		case $next in
		/*) target=$next ;;
		*) target=${target%/*}/$next ;;
		esac
	done
	[ -f "$target" ] || fail "$1: no such file"
}

# owned FILE: mode, owner and group, to compare two files by.
owned() {
	set -- $(ls -ldn "$1")
	printf '%.10s %s %s' "${1-}" "${3-}" "${4-}"
}

# do_replace PATH PRINT-OLD PRINT-NEW
do_replace() {
	follow "$1"
	same "$2" "$target" || fail "$1: changed since it was looked at"
	if [ ! -w "${target%/*}/" ]; then
		in_place "$1" "$2" "$3" "$3"
		return 0
	fi
	beside "$target"
	cp -p "$target" "$tmp" || exit 1
	fill "$3"
	if [ "$(owned "$tmp")" = "$(owned "$target")" ] && mv -f "$tmp" "$target" 2>/dev/null; then
		same "$3" "$target" || fail "$1: does not hold what was written"
		return 0
	fi
	in_place "$1" "$2" "$3" cat "$tmp"
}

# fill PRINTER: the temporary copy gets the new content and keeps its mode, also
# one that its owner may not write.
fill() {
	case $(ls -ldn "$tmp") in
	??w*) locked= ;;
	*) locked=yes ;;
	esac
	[ -z "$locked" ] || chmod u+w "$tmp" || exit 1
	"$1" >"$tmp"
	same "$1" "$tmp" || fail "$tmp: cannot be written (disk full?)"
	[ -z "$locked" ] || chmod u-w "$tmp" || exit 1
}

# in_place PATH PRINT-OLD PRINT-NEW COMMAND...: for a file that cannot be renamed
# over (a bind mount, a directory that takes no new files), or whose owner this
# user cannot give to another file. The command prints the new content.
in_place() {
	path=$1
	was=$2
	is=$3
	shift 3
	[ -w "$target" ] || fail "$path: this user may not write to it, or its file system is read-only"
	"$@" >"$target" && same "$is" "$target" && return 0
	set -- "$path" "$was"
	"$2" >"$target" && same "$2" "$target" && fail "$1: cannot be written; the old content is back"
	fail "$1: cannot be written, and may hold neither the old nor the new content"
}

# do_create PATH MODE PRINTER
do_create() {
	taken "$1" && fail "$1: exists already"
	beside "$1"
	"$3" >"$tmp"
	same "$3" "$tmp" || fail "$tmp: cannot be written (disk full?)"
	chmod "$2" "$tmp" || exit 1
	settle "$1"
}

do_backup() {
	absent "$1" && return 0
	taken "$2" && return 0
	[ -f "$1" ] || fail "$1: not a regular file, or out of reach"
	beside "$2"
	cp -p "$1" "$tmp" || exit 1
	cmp -s "$1" "$tmp" || fail "$2: the copy differs (disk full?)"
	settle "$2"
}

do_move() {
	taken "$1" || fail "$1: no such file"
	[ -d "$1" ] && fail "$1: is a directory"
	taken "$2" && fail "$2: exists already"
	mv -f "$1" "$2"
}

do_absent() {
	taken "$1" && fail "$1: is there now"
	return 0
}

do_remove() {
	taken "$1" || return 0
	rm -f "$1"
}

do_chmod() { chmod "$2" "$1"; }

do_mkdir() { mkdir -p "$1"; }

# do_run TOOL WORD...: behind a beat, the lock shows life for as long as the tool
# works, also where the machine gives no session to beat in meanwhile.
do_run() {
	[ -n "$entry" ] || {
		"$@"
		return
	}
	show_life >/dev/null 2>&1 &
	life=$!
	"$@"
	rc=$?
	kill "$life" 2>/dev/null
	wait "$life" 2>/dev/null # or some shells would tell of its end
	return $rc
}

# show_life: a line break more in the beat every few seconds, for ten minutes at
# most and not after the end of this script, whatever ends it.
show_life() {
	seconds=0
	while [ "$seconds" -lt 600 ] && sleep 1 && kill -0 "$$"; do
		seconds=$(($seconds + 1))
		[ $(($seconds % 5)) = 0 ] || continue
		[ -f "$entry/beat" ] || exit 0
		printf '\n' >>"$entry/beat" || touch -c "$entry/beat"
	done
}

# The program gets SIGPIPE back: it goes on long after this script.
do_start() {
	if [ ! -f "$1" ] || [ ! -x "$1" ]; then
		printf '%s: not found\n' "$1"
		exit 127
	fi
	cd / || exit 1
	(trap - PIPE; exec nohup "$@" </dev/null >/dev/null 2>&1) &
}

# alive PID EXECUTABLE
alive() {
	list=$(ps axww -o pid= -o command= 2>&1) || fail "$list"
	line=$(printf '%s\n' "$list" | while read -r pid command; do
		[ "$pid" = "$1" ] && printf '%s' "$command"
	done)
	belongs "$2" "$line"
}

# do_stop PID EXECUTABLE SECONDS
do_stop() {
	alive "$1" "$2" || fail "process $1 is not one of $2"
	kill -TERM "$1" || exit 1
	left=$3
	while alive "$1" "$2"; do
		[ "$left" -gt 0 ] || fail "process $1 still runs"
		sleep 1
		left=$(($left - 1))
	done
}
