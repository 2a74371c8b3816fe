#!/bin/bash
# The published procedure as an admin's own script: the same steps, in the same
# order, and nothing looked at twice. SHARED=1 runs it over two connections that
# stay open; else every command logs in anew.
# Set outside: USER_NAME CLIENT_PORT HSM_PORT PASSWORD KNOWN_HOSTS WORK ROOT
#              CLIENT_ADDRESS HSM_ADDRESS NAME PARTITION SHARED
set -eu
soft=$ROOT/var/safenet/safenet/lunaclient
vtl=$soft/bin/vtl
certs=$soft/cert/client
options=(-F none -o LogLevel=ERROR -o "UserKnownHostsFile=$KNOWN_HOSTS" -o StrictHostKeyChecking=yes
	-o PubkeyAuthentication=no -o PreferredAuthentications=password -o NumberOfPasswordPrompts=1)
[ -z "${SHARED:-}" ] || options+=(-o ControlMaster=auto -o "ControlPath=$WORK/%p" -o ControlPersist=60)

client() { sshpass -f "$PASSWORD" ssh "${options[@]}" -p "$CLIENT_PORT" "$USER_NAME@127.0.0.1" "$1"; }
hsm() { sshpass -f "$PASSWORD" ssh "${options[@]}" -p "$HSM_PORT" "$USER_NAME@127.0.0.1" "$1"; }
copy() { sshpass -f "$PASSWORD" scp -q -O "${options[@]}" -P "$1" "$2" "$3"; }
here=$USER_NAME@127.0.0.1

if [ -n "${SHARED:-}" ]; then
	client true & hsm 'client list' >/dev/null & wait
	trap 'ssh "${options[@]}" -p "$CLIENT_PORT" -O exit "$here" 2>/dev/null; ssh "${options[@]}" -p "$HSM_PORT" -O exit "$here" 2>/dev/null' EXIT
fi

client "test -e $certs/$CLIENT_ADDRESS.pem || $vtl createCert -n $CLIENT_ADDRESS"
copy "$CLIENT_PORT" "$here:$certs/$CLIENT_ADDRESS.pem" "$WORK/"
copy "$HSM_PORT" "$WORK/$CLIENT_ADDRESS.pem" "$here:"
copy "$HSM_PORT" "$here:server.pem" "$WORK/"
copy "$CLIENT_PORT" "$WORK/server.pem" "$here:/tmp/$NAME-$CLIENT_PORT-server.pem"
client "$vtl listServers | grep -q 'Server: $HSM_ADDRESS' || $vtl addServer -n $HSM_ADDRESS -c /tmp/$NAME-$CLIENT_PORT-server.pem; rm -f /tmp/$NAME-$CLIENT_PORT-server.pem"
if ! hsm 'client list' | grep -q ": $NAME\$"; then
	hsm "client register -client $NAME -ip $CLIENT_ADDRESS"
	hsm "client assignPartition -client $NAME -partition $PARTITION"
fi
hsm "client show -client $NAME"
client "$vtl verify"
client "cp $ROOT/etc/Chrystoki.conf $ROOT/var/safenet/config/Chrystoki.conf"
client "ps ax | grep -v grep | grep -q $ROOT/var/safenet/gateway/safenet_gw || sh $ROOT/var/safenet/gateway/start_safenet_gw </dev/null >/dev/null 2>&1"
client "ps ax | grep -v grep | grep $ROOT/var/safenet/gateway/safenet_gw"
client "touch $ROOT/var/safenet/safenet_is_enrolled"
