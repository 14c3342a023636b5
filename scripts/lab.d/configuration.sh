# Configuration of a lab's libvirtd, by the flavour of the lab. Sourced by scripts/lab.

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
