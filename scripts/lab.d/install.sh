# The Debian packages that the lab needs. Sourced by scripts/lab.

readonly NEEDED_PACKAGES="qemu-system-x86 qemu-utils libvirt-daemon-system libvirt-clients ovmf
	busybox-static syslinux syslinux-common mtools dosfstools fdisk e2fsprogs kmod xz-utils zstd
	gcc libc6-dev binutils util-linux guestfish xfsprogs"
# Not packages of their own in every release.
readonly SPLIT_PACKAGES="libvirt-daemon-driver-qemu systemd-boot-efi"

is_known() {
	[ -n "$(apt-cache show --no-all-versions "$1" 2>/dev/null)" ]
}

missing_packages() {
	local installed package
	installed=" $(dpkg-query -W -f '${Package}=${db:Status-Status} ' $NEEDED_PACKAGES $SPLIT_PACKAGES 2>/dev/null || true)"
	for package in $NEEDED_PACKAGES $SPLIT_PACKAGES; do
		[[ $installed == *" $package=installed "* ]] && continue
		[[ " $SPLIT_PACKAGES " == *" $package "* ]] && ! is_known "$package" && continue
		echo "$package"
	done
}

apt_quietly() {
	DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 "$@" \
		</dev/null >"$LAB_CACHE/apt.log" 2>&1
}

lab_install() {
	[ "$(dpkg --print-architecture 2>/dev/null)" = amd64 ] || fail "the lab needs Debian on amd64"
	mkdir -p "$LAB_CACHE"
	# a guest is built from the package index too, so it must be there even with nothing to install
	is_built || is_known linux-image-cloud-amd64 || update_index
	local missing
	missing=$(missing_packages)
	[ -n "$missing" ] || return 0
	need_root
	note "installing $(echo $missing)"
	if ! apt_quietly install --no-install-recommends $missing; then
		update_index
		missing=$(missing_packages)
		apt_quietly install --no-install-recommends $missing || {
			tail -n 20 "$LAB_CACHE/apt.log" >&2
			fail "install: apt-get failed, see $LAB_CACHE/apt.log"
		}
	fi
}

is_built() {
	[ -f "$LAB_CACHE/guest/recipe" ]
}

update_index() {
	need_root
	note "reading the package index"
	apt_quietly update || note "apt-get update failed, going on with what is there"
}
