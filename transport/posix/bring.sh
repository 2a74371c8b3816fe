# do_bring DIR PRINTER NAME WORD...: NAME is new every time. The file is removed
# before the program begins, which runs from the open file; so nothing is left
# behind, whatever ends this. A directory whose programs may not be run (126) is
# followed by the other one.
do_bring() {
	other=$1 print=$2 name=$3
	shift 3
	umask 077
	trap 'rm -f "$tmp"' 0
	trap 'exit 143' 2 15
	for dir in /tmp "$other"; do
		tmp=$dir/$name
		unpack || {
			rm -f "$tmp"
			continue
		}
		exec 3<"$tmp" || exit 1
		rm -f "$tmp"
		patiently /proc/self/fd/3 "$@"
		rc=$?
		exec 3<&-
		[ "$rc" = 126 ] || break
	done
	return $rc
}

# unpack: the program under a name that nothing bears yet.
unpack() {
	rc=1
	(set -C; "$print" | base64 -d | gzip -dc >"$tmp") && chmod 700 "$tmp"
}
