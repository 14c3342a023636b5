# What keeps a lab's libvirtd apart from the machine's. Sourced by scripts/lab.
#
# DIR/{etc,run,lib,log,cache} are bound over libvirt's own directories inside a mount namespace that a "holder" process keeps alive, so that
# libvirtd may be killed and started again in it, and any number of labs run side by side.
# Where namespaces are not permitted, libvirtd uses the system's directories, lent and given back: one lab at a time.

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
