# Asking a PKCS#11 library. The program keeps a time limit of its own; where
# there is timeout(1), it is held to it.
patiently() {
	if command -v timeout >/dev/null 2>&1; then
		timeout -s KILL 15 "$@"
	else
		"$@"
	fi
}

# look_program NAME DIR...: where a program is.
look_program() {
	name=$1
	shift
	for dir do
		if [ -f "$dir/$name" ] && [ -x "$dir/$name" ]; then
			text found "$dir/$name"
			return 0
		fi
	done
	hit=$(command -v "$name" 2>/dev/null)
	case $hit in
	/*) text found "$hit" ;;
	*) text missing '' ;;
	esac
}

# look_probe PROGRAM WORD...
look_probe() {
	open data
	patiently "$@" </dev/null 2>&1 | head -c 1048576
	close
}
