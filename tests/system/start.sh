#!/bin/bash
# SPDX-License-Identifier: MIT
# Starting and ending Perigee as a person does: what it says, what it exits with, and
# that nothing of it stays.
#   start.sh BUILD-ROOT SOURCE-ROOT
set -u
build=$1 source=$2
slow=${PERIGEE_TEST_SLOWNESS:-1} # of sanitizers
deadline=$((20 * slow))
failures=0
port=$((10048 + $$ % 103 * 96)) # other tests claim those from 20000 on
work=$(mktemp -d /tmp/perigee-start.XXXXXX)
chmod 755 "$work"
user=()
declare -A started=()

finish() {
	for pid in "${!started[@]}"; do
		kill -KILL "$pid" 2>/dev/null
	done
	rm -rf "$work"
}
trap finish EXIT

libexec=
for room in supervisor gate store host desktop runner encoder stream apps cli; do
	libexec="$libexec$build/src/$room:"
done
libexec=$libexec$source/src/apps
hold=$build/src/supervisor/perigee-hold

# As root the workers are somebody else's, who may not be able to enter this folder.
if [ "$(id -u)" = 0 ]; then
	user=(--user nobody)
	if ! setpriv --reuid nobody --regid nogroup --clear-groups \
		test -x "$build/src/gate/perigee-gate" -a -x "$source/src/apps/perigee-session"; then
		DESTDIR=$work/programs meson install -C "$build" --no-rebuild --quiet || exit 1
		libexec=$(dirname "$(find "$work/programs" -name perigeed)")
		hold=$libexec/perigee-hold
	fi
fi

fail() {
	echo "not ok: $*"
	failures=$((failures + 1))
}

# begin NAME PORT FLAG...: starts one; its terminal is the fifo NAME.
begin() {
	local name=$1 base=$2
	shift 2
	mkfifo "$work/$name"
	exec {terminal}<>"$work/$name"
	"$hold" --libexec "$libexec" "${user[@]}" --bind 127.0.0.1 --no-discovery --no-trial --port "$base" \
		--state "$work/$name-state" --data "$work/$name-data" \
		--runtime "$work/$name-run" "$@" >&$terminal 2>&1 </dev/null &
	hold_pid=$!
	started[$hold_pid]=$name
}

# Reads the terminal up to a line with these words; what was read is in $said.
hear() {
	local words=$1 line
	said=
	while IFS= read -r -t "$deadline" -u "$terminal" line; do
		said+=$line$'\n'
		case $line in *"$words"*) return 0 ;; esac
	done
	fail "\"$words\" was not said within $deadline s, but: $said"
	return 1
}

# refused WORDS FLAG...: a start that must fail with exit 1, saying WORDS.
refused() {
	local words=$1 status
	shift
	said=$(timeout "$deadline" "$hold" --libexec "$libexec" "${user[@]}" --bind 127.0.0.1 \
		--no-discovery --no-trial --port $((port + 32)) --state "$work/r-state" \
		--data "$work/r-data" --runtime "$work/r-run" "$@" 2>&1 </dev/null)
	status=$?
	[ "$status" = 1 ] || fail "$*: exit $status instead of 1: $said"
	case $said in
	*"$words"*) ;;
	*) fail "$*: said, without \"$words\": $said" ;;
	esac
	case $said in *"is ready"*) fail "$*: it said that it is ready" ;; esac
	[ ! -e "$work/r-run/api.sock" ] || fail "$*: api.sock was left"
	[ -z "$(ss -Hlntu "sport >= :$((port + 27)) and sport <= :$((port + 53))")" ] ||
		fail "$*: a port is still open"
	rm -rf "$work/r-state" "$work/r-data" "$work/r-run"
}

# All processes below one, each as PID:START, so that a number used again is no match.
family() {
	local pid
	for pid in $(ps -o pid= --ppid "$1"); do
		echo "$pid:$(cut -d' ' -f22 "/proc/$pid/stat" 2>/dev/null)"
		family "$pid"
	done
}

lives() {
	[ -r "/proc/${1%:*}/stat" ] &&
		[ "$(cut -d' ' -f22 "/proc/${1%:*}/stat" 2>/dev/null)" = "${1#*:}" ]
}

# end NAME PORT PID: Ctrl-C, and nothing may stay.
end() {
	local name=$1 base=$2 pid=$3 before at status
	before=$(family "$pid")
	[ "$(wc -w <<<"$before")" -ge 5 ] || fail "$name: only these processes: $before"
	kill -INT "$pid"
	wait "$pid"
	status=$?
	unset "started[$pid]"
	[ "$status" = 0 ] || fail "$name: exit $status after Ctrl-C"
	for at in $before; do
		# perigee-log, the last to write, ends at the end of its input.
		timeout "$deadline" tail --pid="${at%:*}" -f /dev/null
		! lives "$at" || fail "$name: process $at still lives"
	done
	[ ! -e "$work/$name-run" ] || fail "$name: the runtime folder was left"
	[ -z "$(ss -Hlntu "sport >= :$((base - 5)) and sport <= :$((base + 21))")" ] ||
		fail "$name: a port is still open"
}

# Starts, says where it is within 2 s, and refuses what would hurt it.
begin one "$port"
one=$hold_pid
one_terminal=$terminal
if hear "is ready"; then
	hear "127.0.0.1:$port"
	hear "#key="
	hear "Homes"
	grep -q "event=ready since_start_ms=[0-9]\{1,3\} \|event=ready since_start_ms=1[0-9]\{3\} " \
		<(timeout "$deadline" tail -n +1 -f "$work/one-state/perigee.log" |
			sed '/event=ready since/q') || [ "$slow" != 1 ] || fail "the addresses came after 2 s"
fi
refused "TCP port $port (HTTP) is in use" --port "$port"
refused "another Perigee runs with the runtime folder $work/one-run" --runtime "$work/one-run"
refused "another Perigee uses the state folder $work/one-state" --state "$work/one-state"
refused "--runtime, --state, --data and --port" --port "$port" --runtime "$work/one-run"

# Another one beside it, with ports and folders of its own.
begin two $((port - 32))
two=$hold_pid
if hear "is ready"; then
	hear "127.0.0.1:$((port - 32))"
fi
end two $((port - 32)) "$two"
terminal=$one_terminal
curl -s --max-time "$deadline" --unix-socket "$work/one-run/api.sock" http://x/api/v1/status |
	grep -q '"version"' || fail "the first one does not answer after the second has ended"
end one "$port" "$one"

# The probe is found from programs that were installed elsewhere than they were meant to
# be, and from where --libexec says.
DESTDIR=$work/staged meson install -C "$build" --no-rebuild --quiet
staged=$(find "$work/staged" -path '*/bin/perigee')
"$staged" probe help | grep -q serverinfo || fail "staged: no probe beside $staged"
cp "$staged" "$work/perigee"
found=$(dirname "$(find "$work/staged" -name perigee-probe)")
"$work/perigee" --libexec "/nowhere:$found" probe help | grep -q serverinfo ||
	fail "--libexec $found: no probe"
rm -rf "$work/staged" "$work/perigee"

# A folder that cannot be, a file that cannot be.
touch "$work/file"
refused "state folder $work/file/x: Not a directory. Choose another with --state" \
	--state "$work/file/x"
refused "data folder $work/file/x: Not a directory" --data "$work/file/x"
refused "runtime folder $work/file/x: Not a directory" --runtime "$work/file/x"
refused "log file $work/file/x: Not a directory. Choose another with --log" --log "$work/file/x"
refused "folders.state \"here\": an absolute path is needed" --state here
mkdir -m 0500 "$work/closed"
if [ "$(id -u)" = 0 ]; then
	refused "cannot enter the folders above it" --state "$work/closed/state"
	refused "no app ever runs as root" --user root
	mkdir "$work/others"
	chown daemon "$work/others"
	refused "belongs to another user" --state "$work/others"
	DESTDIR=$work/closed meson install -C "$build" --no-rebuild --quiet
	chmod 0700 "$work/closed"
	refused "install Perigee elsewhere" --libexec "$(dirname "$(find "$work/closed" -name perigeed)")"
	refused "no user \"nobody-of-that-name\" to run apps as" --user nobody-of-that-name
else
	refused "state folder $work/closed/state: Permission denied" --state "$work/closed/state"
	refused "only root can run apps as somebody else" --user nobody
fi

# What people mistype.
printf 'name: Attic\nprots:\n  base: 4\n' >"$work/key.yaml"
refused "$work/key.yaml, line 2: there is no key \"prots\" here" --config "$work/key.yaml"
printf 'ports:\n  base: many\n' >"$work/type.yaml"
refused "line 2: ports.base: \"many\" is not a whole number" --config "$work/type.yaml"
refused "$work/none.yaml: No such file" --config "$work/none.yaml"
refused "--nonsense: unknown or incomplete option" --nonsense
refused "a port is a number between 1 and 65535" --port 70000
refused "log_level \"loud\": say error, warning, info or debug" --log-level loud
refused "bind \"300.1.1.1\" is not a numeric address" --bind 300.1.1.1

refused "programs are not installed in /nowhere" --libexec "/nowhere"

# A device that is not there.
refused "encoders \"typewriter\": say some of nvenc, vaapi, qsv and x264" --encoders typewriter
[ -e /dev/nvidiactl ] || refused "no encoder works here: nvenc" --encoders nvenc

[ "$failures" = 0 ] && echo "ok"
exit $((failures > 0))
