# Queries. None of these writes anything.

# collect passes the answers on in as few pieces as it can: each is a packet.
collect() {
	if command -v dd >/dev/null 2>&1; then
		answers | dd ibs=32768 obs=32768 2>/dev/null
	else
		answers
	fi
}

# there PATH: tells what kind of file it is; false when there is no more to tell.
there() {
	[ -h "$1" ] && text link "$(readlink "$1")"
	if absent "$1"; then
		text missing ''
		return 1
	fi
	if [ ! -e "$1" ]; then
		text problem "$why"
		return 1
	fi
	text ls "$(ls -ldnL "$1" 2>&1)"
	[ -w "$1" ] || text unwritable ''
}

# readable PATH: it is a regular file that this user may read.
readable() {
	if [ ! -f "$1" ]; then
		text problem 'not a regular file'
		return 1
	fi
	why=$(wc -c "$1" 2>&1 >/dev/null) && return 0
	text problem "$why"
	return 1
}

look_refused() { text problem "$1"; }

look_system() {
	text system "$(uname -s)"
	text machine "$(uname -m)"
	text user "$(id -u)"
	text configdir "${ChrystokiConfigurationPath-}"
	text clock "$(date +%s)"
}

look_stat() { there "$1"; }

look_file() {
	there "$1" && readable "$1" || return 0
	if [ $(wc -c <"$1") -gt "$2" ]; then
		text problem "larger than $2 bytes"
		return 0
	fi
	if grep -q 'PRIVATE KEY-----' "$1"; then
		text problem 'a private key is not read'
		return 0
	fi
	open data
	cat "$1" 2>/dev/null
	rc=$?
	close
	[ "$rc" = 0 ] || text problem "reading broke off (cat: status $rc)"
}

look_dir() {
	there "$1" || return 0
	if [ ! -d "$1" ]; then
		text problem 'not a directory'
	elif names=$(ls -a "$1/." 2>&1); then
		text names "$names"
	else
		text problem "$names"
	fi
}

# The header alone is taken from the first line: in a file with other line ends
# the whole key might be on it.
look_key() {
	there "$1" && readable "$1" || return 0
	header=$(sed -n -e '1s/^\(-----BEGIN [A-Z0-9 ]*-----\).*/\1/p' -e 1q "$1")
	text header "$header"
	if [ -z "$header" ]; then
		text damaged ''
		text problem 'no PEM header'
	elif sed 3q "$1" | grep -q ENCRYPTED; then
		text encrypted ''
		text problem 'the key is encrypted'
	elif command -v openssl >/dev/null 2>&1; then
		public_half "$1"
	else
		text problem 'no openssl on the host'
	fi
}

# rsa first: OpenSSL 0.9.8 has no pkey.
public_half() {
	for how in rsa pkey ec; do
		public=$(openssl $how -in "$1" -pubout -passin pass: </dev/null 2>/dev/null) || continue
		case $public in
		'-----BEGIN PUBLIC KEY-----'*)
			text public "$public"
			return 0
			;;
		esac
	done
	text damaged ''
	text problem 'openssl cannot read the key'
}

# Both, where both are: ifconfig leaves out what was added without a label.
look_addresses() {
	open addresses
	ifconfig -a 2>/dev/null </dev/null
	ip addr 2>/dev/null </dev/null
	close
}

# look_processes EXECUTABLE FILE...
look_processes() {
	exe=$1
	shift
	text now "$(date '+%a %b %e %H:%M:%S %Y')"
	if ! list=$(ps axww -o pid= -o ppid= -o lstart= -o command= 2>&1); then
		text problem "$list"
		return 0
	fi
	printf '%s\n' "$list" | while read -r pid ppid wday month day time year command; do
		case $command in
		*"$exe"*) ;;
		*) continue ;;
		esac
		belongs "$exe" "$command" || continue
		start="$wday $month $day $time $year"
		text process "$pid $ppid $start $command"
		for f do
			newer "$f" "$start"
		done
	done
}

newer() {
	[ -e "$1" ] || return 0
	hit=$(find -H "$1" -prune -newermt "$2 2 sec" -print 2>&1)
	case $hit in
	'') ;;
	"$1") text newer "$1" ;;
	*) text problem "$hit" ;;
	esac
}

# look_route ADDRESS: what tells the own address towards another: a line with src,
# or the interface's addresses.
look_route() {
	to=$1
	case $to in
	*:*) ;;
	*[!0-9.]*) to=$(getent hosts "$1" 2>/dev/null </dev/null | sed -n '1s/[ 	].*//p') ;;
	esac
	if [ -z "$to" ]; then
		text problem "$1 does not resolve here"
	elif command -v ip >/dev/null 2>&1; then
		text route "$(ip route get "$to" 2>&1 </dev/null)"
	else
		dev=$(route -n get "$to" 2>/dev/null </dev/null | sed -n 's/^ *interface: *//p')
		[ -n "$dev" ] || dev=none
		text route "$(ifconfig "$dev" 2>&1 </dev/null)"
	fi
}

# bounded SECONDS COMMAND...: what it says and its status, which is not 0 if it
# did not end in time. There is no timeout(1) everywhere.
bounded() {
	limit=$1
	shift
	"$@" 2>&1 </dev/null &
	child=$!
	(sleep "$limit"; kill "$child") >/dev/null 2>&1 </dev/null &
	guard=$!
	wait "$child" 2>/dev/null
	rc=$?
	kill "$guard" 2>/dev/null
	return $rc
}

# look_reach HOST PORT SECONDS: by the first tool that is there. openssl comes
# first, since it shows the certificate.
look_reach() {
	where=$1:$2
	case $1 in
	*:*) where=[$1]:$2 ;;
	esac
	for tool in openssl nc bash none; do
		command -v "$tool" >/dev/null 2>&1 && break
	done
	case $tool in
	openssl) said=$(bounded "$3" openssl s_client -connect "$where") ;;
	nc) said=$(bounded "$3" nc -z -w "$3" "$1" "$2") ;;
	bash) said=$(bounded "$3" bash -c ': </dev/tcp/"$0"/"$1"' "$1" "$2") ;;
	*)
		text missing ''
		return 0
		;;
	esac
	rc=$?
	text tool "$tool"
	text data "$said"
	case $tool:$rc:$said in
	openssl:*CONNECTED*) text reached '' ;;
	openssl:*) ;;
	*:0:*) text reached '' ;;
	esac
}

# look_holders NAME: what a program has loaded stands in its maps, with the path
# at the end of the line. Names of programs alone: their words may be secret.
look_holders() {
	if [ ! -r /proc/self/maps ]; then
		text problem 'no /proc here'
		return 0
	fi
	[ "$(id -u)" = 0 ] || text problem 'only root sees the programs of other users'
	set +f
	maps=$(grep -F -l -e "/$1" /proc/[0-9]*/maps 2>/dev/null </dev/null | sed 200q)
	set -f
	for map in $maps; do
		pid=${map#/proc/}
		pid=${pid%/maps}
		name=$(ps -p "$pid" -o comm= 2>/dev/null)
		case $name in
		'' | vtl) ;;
		*) text holder "$pid $name" ;;
		esac
	done
	text holders ''
}

# look_vtl TOOL WORD...
look_vtl() {
	if [ ! -f "$1" ] || [ ! -x "$1" ]; then
		text missing ''
		return 0
	fi
	open data
	"$@" </dev/null 2>&1
	close
}
