# What every script begins with. mark, the random word of this exchange, is set
# ahead of this. i is the number of the query or action that is answered.
LC_ALL=C; export LC_ALL
PATH=${PATH:+$PATH:}/sbin:/usr/sbin:/bin:/usr/bin:/usr/local/bin; export PATH
IFS=' 	
'
set -f

# open NAME ... close: an answer between two marks, whatever bytes it has. text
# NAME WORDS is the same by one printf, for each is a packet on the wire.
open() { printf '%s %s %s\n' "$mark" "$i" "$1"; }
close() { printf '\n%s end\n' "$mark"; }
text() { printf '%s %s %s\n%s\n%s end\n' "$mark" "$i" "$1" "$2" "$mark"; }

# absent PATH: nothing is there. What is there but out of reach is not absent,
# and leaves the machine's words in why.
absent() {
	[ -e "$1" ] && return 1
	why=$(ls -dL "$1" 2>&1 >/dev/null)
	case $why in
	'' | *': No such file or directory' | *': Not a directory') return 0 ;;
	esac
	return 1
}

# belongs EXECUTABLE COMMANDLINE: its first word is the executable, or it is an
# interpreter at work on the executable (a script, as the kernel starts it, with
# at most one option). Other lines that mention the path are not it.
belongs() {
	whose=$1
	set -- $2
	[ "${1-}" = "$whose" ] && return 0
	case ${1##*/} in
	sh | bash | dash | ash | ksh | ksh93 | mksh | perl* | python*) shift ;;
	*) return 1 ;;
	esac
	case ${1-} in
	-*c*) return 1 ;;
	-*) shift ;;
	esac
	[ "${1-}" = "$whose" ]
}
