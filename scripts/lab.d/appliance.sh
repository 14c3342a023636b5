# A kernel with its modules for libguestfs' appliance, since a container has none of its own in /boot.
# Sourced by scripts/lab.

# lab_appliance: prints the directory with vmlinuz and modules/VERSION
lab_appliance() {
	local out="$LAB_CACHE/appliance" lock
	mkdir -p "$LAB_CACHE"
	exec {lock}>"$LAB_CACHE/appliance.lock"
	flock "$lock"
	if [ ! -d "$out" ]; then
		build_in_scratch "$out" build_appliance
	fi
	exec {lock}>&-
	# supermin looks at it whatever kernel it is given
	mkdir -p /lib/modules
	echo "$out"
}

build_appliance() {
	set -x
	local version
	fetch_guest_packages
	dpkg-deb --fsys-tarfile "$kernel_deb" | tar -x
	version=$(ls lib/modules)
	find lib/modules -name '*.ko.xz' -exec xz -d {} +
	find lib/modules -name '*.ko.zst' -exec zstd -q -d --rm {} +
	depmod -b "$PWD" "$version"
	mkdir made
	mv boot/vmlinuz-* made/vmlinuz
	mv lib/modules made/modules
	mv made "$1"
}
