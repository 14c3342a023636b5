# Private libvirtd of a lab directory. Sourced by scripts/lab.
#
# DIR/{etc,run,lib,log,cache} are bound over libvirt's own directories inside a mount namespace that
# a "holder" process keeps alive, so that libvirtd may be killed and started again in it, any number
# of labs run side by side, and the system's own libvirtd and its files are never touched. The
# sockets are real files of DIR: clients outside the namespace reach them by DIR/uri.
# Where namespaces are not permitted, libvirtd uses the system's directories: one lab at a time.

readonly START_SECONDS=90
readonly PID_FILE_SECONDS=30
readonly STALE_MINUTES=10

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

# ---- isolation

isolation() {
	cat "$1/isolation" 2>/dev/null || echo namespace
}

holder_lives() {
	local holder
	[ -f "$1/holder" ] && read -r -a holder <"$1/holder" && is_same_process "${holder[@]}"
}

start_holder() {
	local dir=$1 holder
	# mounts made under DIR/mnt later are seen inside, whatever the propagation of the rest is
	mountpoint -q "$dir/mnt" || mount --bind "$dir/mnt" "$dir/mnt"
	mount --make-shared "$dir/mnt"
	rm -f "$dir/holder"
	(
		close_inherited
		exec setsid unshare -m --propagation slave "$LAB_ENTRY" hold "$dir"
	) </dev/null >>"$dir/log/start.log" 2>&1 &
	holder=$!
	until [ -s "$dir/holder" ]; do
		[ -d "/proc/$holder" ] || {
			cat "$dir/log/start.log" >&2
			fail "up: could not set up the mount namespace"
		}
		sleep 0.02
	done
}

# The first process of the namespace: binds the directories, then only keeps the namespace alive.
lab_hold() {
	local dir=$1 pair
	own_devices "$dir" || note "no devices of its own: libvirt will use those of the machine"
	# libvirt hands mounts over to the namespaces that it makes for qemu, which takes shared ones
	mount --make-rshared /
	for pair in etc:/etc/libvirt run:/run/libvirt lib:/var/lib/libvirt log:/var/log/libvirt \
		cache:/var/cache/libvirt; do
		mkdir -p "${pair#*:}"
		mount --bind "$dir/${pair%%:*}" "${pair#*:}"
	done
	describe_process $$ >"$dir/holder.new"
	mv "$dir/holder.new" "$dir/holder"
	exec sleep infinity
}

# A copy of /dev in place of it, so that no owner or mode changes on the machine's devices, and with
# KVM only where KVM works: libvirt loses seconds in each start on one that does not.
own_devices() {
	local dir=$1 target
	mkdir -p "$dir/dev"
	mount -t tmpfs -o mode=0755,nosuid devices "$dir/dev"
	if ! cp -ax /dev/. "$dir/dev/"; then
		umount "$dir/dev"
		return 1
	fi
	[ "$(cat "$dir/accel")" = kvm ] || rm -f "$dir/dev/kvm"
	for target in $(awk '$5 ~ "^/dev/[^/]+$" { print substr($5, 6) }' /proc/self/mountinfo | sort -u); do
		mount --rbind "/dev/$target" "$dir/dev/$target"
	done
	# nothing of the machine's must come to light below, should libvirt unmount it
	while mountpoint -q /dev; do umount -l /dev; done
	mount --move "$dir/dev" /dev
}

run_in_lab() {
	local dir=$1 holder
	shift
	if [ "$(isolation "$dir")" = system ]; then
		"$@"
	else
		read -r holder _ <"$dir/holder"
		# its root too, for machines that are a chroot
		nsenter --mount="/proc/$holder/ns/mnt" --root="/proc/$holder/root" --wd="$PWD" -- "$@"
	fi
}

# lab_enter DIR COMMAND...: sees libvirt's own paths (managed save, NVRAM, pid files) as libvirtd does
lab_enter() {
	[ $# -ge 2 ] || fail "usage: scripts/lab enter DIR COMMAND..."
	local dir
	dir=$(realpath -m -- "$1")
	shift
	run_in_lab "$dir" "$@"
}

# ---- configuration

libvirt_etc() {
	if [ "$(isolation "$1")" = system ]; then echo /etc/libvirt; else echo "$1/etc"; fi
}

write_daemon_conf() {
	cat >"$1/etc/libvirtd.conf" <<-CONF
		unix_sock_dir = "$1/run"
		auth_unix_rw = "none"
		auth_unix_ro = "none"
		log_outputs = "2:file:$1/log/libvirtd.log"
	CONF
}

# "default" departs from libvirt's defaults only where a machine without systemd needs it.
write_qemu_conf() {
	local dir=$1 file=$2
	{
		echo "# written by scripts/lab for $dir"
		# virtlogd is started by systemd's socket activation
		echo 'stdio_handler = "file"'
		# the profiles that AppArmor would get belong to the whole machine, not to the lab
		echo 'security_driver = "none"'
		if [ "$(cat "$dir/flavour")" = plain ]; then
			cat <<-CONF
				user = "root"
				group = "root"
				dynamic_ownership = 0
				remember_owner = 0
				namespaces = [ ]
				cgroup_controllers = [ ]
				seccomp_sandbox = 0
			CONF
		else
			[ "$(cat "$dir/flavour")" = default ] || echo 'dynamic_ownership = 0'
			can_give_namespaces "$dir" || echo 'namespaces = [ ]'
			# likely not writable where namespaces are not permitted
			[ "$(isolation "$dir")" = namespace ] || echo 'cgroup_controllers = [ ]'
		fi
	} >"$file"
}

# Whether libvirt may give qemu a /dev of its own. Never in a chroot: libvirt enters qemu's namespace
# by setns, which leaves the chroot, and would change and remove devices of the machine around it.
can_give_namespaces() {
	[ "$(isolation "$1")" = namespace ] &&
		[ "$(stat -c %d:%i /)" = "$(nsenter --mount=/proc/self/ns/mnt stat -c %d:%i /)" ]
}

# libvirtd asks every emulator what it can do, seconds each; it checks by itself whether the answer
# of an earlier lab still holds.
seed_capabilities() {
	local kept="$LAB_CACHE/capabilities-$(cat "$1/flavour")"
	if [ "$(isolation "$1")" = namespace ] && [ -d "$kept" ]; then
		mkdir -p "$1/cache/qemu/capabilities"
		cp -a "$kept"/*.xml "$1/cache/qemu/capabilities/" 2>/dev/null || true
	fi
}

keep_capabilities() {
	local kept="$LAB_CACHE/capabilities-$(cat "$1/flavour")" file
	[ "$(isolation "$1")" = namespace ] || return 0
	mkdir -p "$kept"
	for file in "$1"/cache/qemu/capabilities/*.xml; do
		[ "$file" -nt "$kept/${file##*/}" ] || continue
		cp -a "$file" "$kept/.${file##*/}.$$"
		mv "$kept/.${file##*/}.$$" "$kept/${file##*/}"
	done
}

# ---- the end

# lab_down DIR [--purge]: ends everything that runs in the lab; --purge removes DIR too
lab_down() {
	[ $# -ge 1 ] || fail "usage: scripts/lab down DIR [--purge]"
	local dir
	dir=$(realpath -m -- "$1")
	[ -f "$dir/flavour" ] || fail "down: $dir is no lab directory"
	need_root
	if [ "$(isolation "$dir")" = system ]; then
		give_system_directories_back "$dir"
	else
		stop_namespace "$dir"
	fi
	detach_loops "$dir"
	rm -f "$dir/libvirtd.pid" "$dir/holder" "$dir/owner"
	rm -rf "$dir/run"
	[ "${2:-}" != --purge ] || rm -rf --one-file-system "$dir"
}

stop_namespace() {
	local dir=$1 deadline=$((SECONDS + 10)) pids
	# guests first and by libvirtd, which then removes their control groups
	timeout 10 virsh -q -c "$(cat "$dir/uri")" list --name 2>/dev/null | while read -r domain; do
		[ -z "$domain" ] || timeout 10 virsh -q -c "$(cat "$dir/uri")" destroy "$domain" >/dev/null 2>&1 || true
	done
	! daemon_lives "$dir" || kill "$(cat "$dir/libvirtd.pid")" 2>/dev/null || true
	while daemon_lives "$dir" && [ $SECONDS -lt $deadline ]; do sleep 0.02; done
	while pids=$(lab_processes "$dir") && [ -n "$pids" ]; do
		kill -9 $pids 2>/dev/null || true
		[ $SECONDS -lt $((deadline + 50)) ] || fail "down: processes of $dir do not end: $pids"
		sleep 0.02
	done
	while mountpoint -q "$dir/mnt"; do umount -R -l "$dir/mnt"; done
	remove_control_groups "$dir"
}

# Every process that sees DIR/lib as libvirt's directory, and no other.
lab_processes() {
	local own
	own=$(stat -c %d:%i "$1/lib")
	stat -c '%d:%i %n' /proc/[0-9]*/root/var/lib/libvirt 2>/dev/null |
		awk -v own="$own" '$1 == own { split($2, part, "/"); print part[3] }'
}

# Block devices of files in the lab.
detach_loops() {
	local file device
	for file in /sys/block/loop*/loop/backing_file; do
		[[ -e $file && $(cat "$file") == "$1"/* ]] || continue
		device=${file#/sys/block/}
		losetup -d "/dev/${device%%/*}" || true
	done
}

# Left behind when libvirtd was killed together with its guests; rmdir takes empty ones only.
remove_control_groups() {
	local file name
	for file in "$1"/etc/qemu/*.xml; do
		name=$(basename "$file" .xml)
		find /sys/fs/cgroup -depth -type d -path "*/qemu-*-$name.libvirt-qemu*" -exec rmdir {} + 2>/dev/null || true
	done
}

# lab_clean: ends labs below the base directory whose owner is gone
lab_clean() {
	need_root
	local dir lock owner
	make_base
	exec {lock}>"$LAB_BASE/lock"
	flock "$lock"
	for dir in "$LAB_BASE"/lab.*; do
		[ -d "$dir" ] || continue
		if [ ! -f "$dir/owner" ]; then
			# just being made, or a lab that was ended but not removed
			[ -n "$(find "$dir" -maxdepth 0 -mmin +$STALE_MINUTES)" ] && rm -rf --one-file-system "$dir"
			continue
		fi
		owner=()
		read -r -a owner <"$dir/owner" || true
		[ "${#owner[@]}" -gt 0 ] || continue # being written at this moment
		[ "${owner[0]}" = none ] || is_same_process "${owner[@]}" || {
			note "removing the leftovers of a lab: $dir"
			(lab_down "$dir" --purge) || note "could not remove $dir"
		}
	done
	exec {lock}>&-
}

make_base() {
	mkdir -p "$LAB_BASE"
	chmod 0755 "$LAB_BASE"
	[ "$(stat -c %u "$LAB_BASE")" = 0 ] || fail "$LAB_BASE belongs to another user"
}

# ---- without namespaces: the system's own directories, lent and given back

take_system_directories() {
	local dir=$1
	if virsh -q -c qemu:///system version >/dev/null 2>&1 || [ -S /run/libvirt/libvirt-sock ]; then
		fail "up: a libvirtd already runs on this machine and cannot be kept apart from the lab"
	fi
	if [ -s /run/libvirt/knib-lab ] && [ "$(cat /run/libvirt/knib-lab)" != "$dir" ]; then
		fail "up: another lab runs in $(cat /run/libvirt/knib-lab)"
	fi
	echo system >"$dir/isolation"
	mkdir -p /run/libvirt /etc/libvirt/qemu
	echo "$dir" >/run/libvirt/knib-lab
	[ -f "$dir/system-domains" ] && return
	cp -a /etc/libvirt/qemu.conf "$dir/system-qemu.conf"
	system_domains >"$dir/system-domains"
}

system_domains() {
	find /etc/libvirt/qemu -maxdepth 1 -name '*.xml' -printf '%f\n' | sed 's/\.xml$//' | sort
}

give_system_directories_back() {
	local dir=$1 name pid
	system_domains | comm -23 - "$dir/system-domains" | while read -r name; do
		pid=$(cat "/run/libvirt/qemu/$name.pid" 2>/dev/null || true)
		[ -z "$pid" ] || ! grep -q qemu-system "/proc/$pid/cmdline" 2>/dev/null || kill -9 "$pid"
		timeout 10 virsh -q -c "$(cat "$dir/uri")" undefine "$name" --nvram --managed-save \
			--snapshots-metadata --checkpoints-metadata >/dev/null 2>&1 || true
		rm -f "/etc/libvirt/qemu/$name.xml" "/run/libvirt/qemu/$name".{pid,xml}
	done
	! daemon_lives "$dir" || kill "$(cat "$dir/libvirtd.pid")" 2>/dev/null || true
	while daemon_lives "$dir"; do sleep 0.02; done
	[ ! -f "$dir/system-qemu.conf" ] || cp -a "$dir/system-qemu.conf" /etc/libvirt/qemu.conf
	rm -f /run/libvirt/knib-lab "$dir/system-domains" "$dir/system-qemu.conf" "$dir/isolation"
}
