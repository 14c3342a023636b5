# The end of labs, also of those whose owner is gone. Sourced by scripts/lab.

readonly STALE_MINUTES=10

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
