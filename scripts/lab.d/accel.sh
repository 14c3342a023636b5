# Which accelerator works on this machine. Sourced by scripts/lab.

readonly PROBE_SECONDS=20

# lab_accel: prints kvm or tcg. A /dev/kvm may be there and not work, so one guest kernel is booted;
# the answer holds until the next boot or another qemu.
lab_accel() {
	local answer key
	if [ -n "${KNIB_LAB_ACCEL:-}" ]; then
		echo "$KNIB_LAB_ACCEL"
		return
	fi
	key="$(cat /proc/sys/kernel/random/boot_id) $(stat -L -c %Z "$(command -v qemu-system-x86_64)")"
	if [ "$(head -n 1 "$LAB_CACHE/accel" 2>/dev/null)" != "$key" ]; then
		answer=tcg
		! kvm_boots || answer=kvm
		printf '%s\n%s\n' "$key" "$answer" >"$LAB_CACHE/accel.$$"
		mv "$LAB_CACHE/accel.$$" "$LAB_CACHE/accel"
	fi
	tail -n 1 "$LAB_CACHE/accel"
}

kvm_boots() {
	local guest
	[ -w /dev/kvm ] || return 1
	guest=$(lab_guest)
	# the guest's first process prints the word and powers off when it finds knib.probe
	timeout -k 1 $PROBE_SECONDS qemu-system-x86_64 -accel kvm -cpu host -m 128 -nodefaults -no-reboot \
		-display none -serial stdio -kernel "$guest/vmlinuz" -initrd "$guest/initrd.gz" \
		-append 'console=ttyS0 quiet panic=-1 knib.probe' </dev/null 2>/dev/null | grep -q KNIB-PROBE-BOOTED
}
