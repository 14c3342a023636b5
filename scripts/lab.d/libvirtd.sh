# Private libvirtd of a lab directory: its start. Sourced by scripts/lab.
#
# DIR/{etc,run,lib,log,cache} take the places of libvirt's own directories (isolation.sh), so that the system's own libvirtd and its files
# are never touched. The sockets are real files of DIR: clients outside the namespace reach them by DIR/uri.

readonly START_SECONDS=90
readonly PID_FILE_SECONDS=30

# lab_up DIR [--flavour plain|default|static] [--owner PID|none]: repeatable; starts again what has died; prints the URI
lab_up() {
	local dir="" flavour=plain owner=""
	while [ $# -gt 0 ]; do
		case $1 in
		--flavour)
			case ${2:-} in
			plain | default | static) flavour=$2 && shift ;;
			*) fail "up: a flavour is plain, default or static" ;;
			esac
			;;
		--owner) owner=${2:?--owner takes a process id or none} && shift ;;
		-*) fail "up: unknown option $1" ;;
		*) dir=$(realpath -m -- "$1") ;;
		esac
		shift
	done
	[ -n "$dir" ] || fail "usage: scripts/lab up DIR [--flavour plain|default|static] [--owner PID|none]"
	need_root
	command -v libvirtd >/dev/null || fail "up: no libvirtd, run scripts/lab install first"
	# 107 bytes is the longest path of a unix socket
	[ ${#dir} -le 80 ] || fail "up: the path of the lab directory is too long for sockets: $dir"
	make_lab_directory "$dir" "$flavour" "$owner"
	answers "$dir" || start_lab "$dir"
	cat "$dir/uri"
}

make_lab_directory() {
	local dir=$1 flavour=$2 owner=$3
	mkdir -p "$dir"/{etc,run,lib,log,cache,mnt}
	chmod 0755 "$dir" "$dir"/{etc,run,lib,log,cache,mnt}
	[ "$flavour" = plain ] || check_reachable "$dir"
	if [ -f "$dir/flavour" ] && [ "$(cat "$dir/flavour")" != "$flavour" ]; then
		fail "up: $dir is a lab of the flavour $(cat "$dir/flavour")"
	fi
	echo "$flavour" >"$dir/flavour"
	[ -z "$owner" ] && [ -f "$dir/owner" ] || describe_process "${owner:-$PPID}" >"$dir/owner"
	echo "qemu:///system?socket=$dir/run/libvirt-sock" >"$dir/uri"
	lab_accel >"$dir/accel"
}

# Unprivileged qemu must be able to enter every directory above its disks.
check_reachable() {
	local path=$1
	while [ "$path" != / ]; do
		case $(stat -c %A "$path") in
		*[xt]) ;;
		*) fail "up: other users cannot enter $path (chmod o+x): qemu could not reach the lab" ;;
		esac
		path=$(dirname "$path")
	done
}

# A process id alone may be another process by the time it is looked at: the start time tells.
describe_process() {
	if [ "$1" = none ]; then echo none; else echo "$1 $(process_start "$1")"; fi
}

process_start() {
	local line
	line=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
	line=${line##*) }
	set -- $line
	[ "$1" = Z ] || echo "${20}"
}

is_same_process() {
	[ -n "${2:-}" ] && [ "$(process_start "$1")" = "$2" ]
}

start_lab() {
	local dir=$1
	if holder_lives "$dir"; then
		:
	elif [ "${KNIB_LAB_ISOLATION:-}" != system ] && unshare -m --propagation slave true 2>/dev/null; then
		echo namespace >"$dir/isolation"
		start_holder "$dir"
	else
		note "mount namespaces are not permitted here: using the system's libvirt directories, one lab at a time"
		take_system_directories "$dir"
	fi
	write_daemon_conf "$dir"
	write_qemu_conf "$dir" "$(libvirt_etc "$dir")/qemu.conf"
	seed_capabilities "$dir"
	# whatever it inherited (locks, pipes of the caller) must not outlive this script in it
	(
		close_inherited
		run_in_lab "$dir" libvirtd -d -f "$dir/etc/libvirtd.conf" -p "$dir/libvirtd.pid"
	) </dev/null >>"$dir/log/start.log" 2>&1 || true
	await_answer "$dir"
	keep_capabilities "$dir"
}

close_inherited() {
	local fd
	for fd in /proc/$BASHPID/fd/*; do
		fd=${fd##*/}
		# 255 is the script itself
		[ "$fd" -le 2 ] || [ "$fd" -eq 255 ] || eval "exec $fd>&-"
	done
}

answers() {
	[ -S "$1/run/libvirt-sock" ] && timeout 20 virsh -q -c "$(cat "$1/uri")" version >/dev/null 2>&1
}

await_answer() {
	local dir=$1 deadline=$((SECONDS + START_SECONDS)) silent=$((SECONDS + PID_FILE_SECONDS))
	until answers "$dir"; do
		if [ $SECONDS -ge $deadline ] || { [ $SECONDS -ge $silent ] && ! daemon_lives "$dir"; }; then
			cat "$dir/log/start.log" >&2
			tail -n 10 "$dir/log/libvirtd.log" >&2 2>/dev/null || true
			lab_down "$dir"
			fail "up: libvirtd did not start in $dir"
		fi
		sleep 0.05
	done
}

# The file goes with the daemon; it may come a moment after the start.
daemon_lives() {
	local pid
	pid=$(cat "$1/libvirtd.pid" 2>/dev/null) && [ -n "$(process_start "$pid")" ]
}
