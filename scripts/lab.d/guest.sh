# Builds the lab's guest out of Debian packages: no loop device, no mount, no installer.
# Result: root.qcow2 (MBR: FAT boot partition with syslinux, ext4 root), data.qcow2 (ext4 on the
# whole disk), vmlinuz and initrd.gz; root-uefi.qcow2 is the same root booting by UEFI.
# Sourced by scripts/lab.

readonly ROOT_MIB=192 BOOT_MIB=32 DATA_MIB=256
readonly SECTORS_PER_MIB=2048
readonly GUEST_KERNEL_OPTIONS="console=tty0 console=ttyS0 quiet panic=5 mitigations=off tsc=reliable random.trust_cpu=on"
readonly EARLY_MODULES="virtio_pci virtio_blk virtio_console ext4"
readonly LATE_MODULES="button evdev virtio_net ata_piix virtio_scsi sd_mod"
readonly APPLETS="sh ls cat mount umount ps dd sha256sum md5sum sleep date echo hostname uname sync cp mv
	rm mkdir rmdir kill grep awk sed find df du touch head tail wc usleep insmod stat chmod mkfifo ip blkid
	cut tr sort seq true false test printf pidof dmesg ln cmp base64 setsid nohup tee blockdev fstrim"

guest_recipe() {
	(cd "$LAB_PARTS" && find guest.sh guestbin.c rootfs initramfs -type f -print0 | sort -z |
		xargs -0 sha256sum | sha256sum | cut -c1-64)
}

# lab_guest [--out DIR] [--uefi]: prints the directory of the images, which are never written to again
lab_guest() {
	local out="$LAB_CACHE/guest" uefi=no
	while [ $# -gt 0 ]; do
		case $1 in
		--out) out=$(realpath -m -- "${2:?--out takes a directory}") && shift ;;
		--uefi) uefi=yes ;;
		*) fail "guest: unknown option $1" ;;
		esac
		shift
	done
	mkdir -p "$out" "$LAB_CACHE"
	local recipe lock
	recipe=$(guest_recipe)
	exec {lock}>"$LAB_CACHE/guest.lock"
	flock "$lock"
	if [ "$(cat "$out/recipe" 2>/dev/null)" != "$recipe" ]; then
		rm -f "$out/recipe" "$out/root-uefi.qcow2"
		build_in_scratch "$out" build_guest
		echo "$recipe" >"$out/recipe"
	fi
	if [ $uefi = yes ] && [ ! -f "$out/root-uefi.qcow2" ]; then
		build_in_scratch "$out" build_uefi_root
	fi
	exec {lock}>&-
	echo "$out"
}

# Runs BUILDER OUT in an empty directory that disappears afterwards.
build_in_scratch() {
	local out=$1 builder=$2 scratch
	scratch=$(mktemp -d "$LAB_CACHE/build.XXXXXX")
	note "building guest images in $out"
	# a process of its own, since "set -e" means nothing inside a condition
	if ! (cd "$scratch" && "$LAB_ENTRY" build-step "$builder" "$out") >"$LAB_CACHE/guest.log" 2>&1; then
		tail -n 20 "$LAB_CACHE/guest.log" >&2
		rm -rf "$scratch"
		fail "guest: the build failed, see $LAB_CACHE/guest.log"
	fi
	rm -rf "$scratch"
}

build_guest() {
	set -x
	fetch_guest_packages
	unpack_kernel
	make_initramfs
	make_root_tree
	make_root_disk
	make_data_disk data.qcow2 $DATA_MIB knibdata
	publish "$1" root.qcow2 data.qcow2 vmlinuz initrd.gz
}

publish() {
	local out=$1 file
	shift
	for file; do
		chmod 0444 "$file"
		mv -f "$file" "$out/$file"
	done
}

# ---- packages: downloaded, unpacked, never installed

fetch_guest_packages() {
	debs="$LAB_CACHE/debs-$(. /etc/os-release && echo "$VERSION_CODENAME")"
	mkdir -p "$debs"
	local kernel
	kernel=$(apt-cache depends linux-image-cloud-amd64 | awk '/Depends: linux-image/ { print $2; exit }')
	fetch_package "$kernel"
	fetch_package qemu-guest-agent
	kernel_deb=$(find_package "$kernel")
	mkdir agent
	dpkg-deb -x "$(find_package qemu-guest-agent)" agent
}

find_package() {
	find "$debs" -name "$1_*.deb" | head -n 1
}

fetch_package() {
	[ -n "$(find_package "$1")" ] && return
	(cd "$debs" && apt-get download -q -o APT::Sandbox::User=root "$1")
}

agent_libraries() {
	LD_LIBRARY_PATH="$PWD/agent/usr/lib/x86_64-linux-gnu:$PWD/agent/lib/x86_64-linux-gnu" \
		ldd agent/usr/sbin/qemu-ga
}

# Unpacks what the agent depends on and this machine lacks, one level of dependencies at a time.
complete_agent_libraries() {
	local level=qemu-guest-agent next package dependency
	for _ in 1 2 3 4; do
		agent_libraries | grep -q 'not found' || return 0
		next=""
		for package in $level; do
			for dependency in $(dpkg-deb -f "$(find_package "$package")" Depends |
				tr ',' '\n' | sed 's/[(|].*//; s/:any//'); do
				[ "$dependency" = libc6 ] && continue
				fetch_package "$dependency" || continue
				dpkg-deb -x "$(find_package "$dependency")" agent
				next="$next $dependency"
			done
		done
		level=$next
	done
	! agent_libraries | grep 'not found'
}

# ---- kernel and initramfs

unpack_kernel() {
	mkdir kernel
	dpkg-deb --fsys-tarfile "$kernel_deb" | tar -x -C kernel
	mv kernel/boot/vmlinuz-* vmlinuz
	find kernel -name '*.ko.xz' -exec xz -d {} +
	find kernel -name '*.ko.zst' -exec zstd -q -d --rm {} +
}

# Module files and all they depend on, dependencies first; what is built in is left out.
module_order() {
	local name file
	for name; do
		file=$(find kernel -name "${name//_/[-_]}.ko" | head -n 1)
		[ -n "$file" ] || continue
		module_order $(modinfo -F depends "$file" | tr ',' ' ')
		echo "$file"
	done
}

# copy_modules DIR NAME...: with the file "order" for insmod
copy_modules() {
	local directory=$1 file
	shift
	mkdir -p "$directory"
	module_order "$@" | awk '!seen[$0]++' | while read -r file; do
		cp "$file" "$directory/"
		echo "${file##*/}"
	done >"$directory/order"
}

make_initramfs() {
	mkdir -p initramfs/{bin,proc,sys,dev,root}
	cp "$(command -v busybox)" initramfs/bin/busybox
	cp "$LAB_PARTS/initramfs/init" initramfs/init
	copy_modules initramfs/modules $EARLY_MODULES
	(cd initramfs && find . | busybox cpio -o -H newc) | gzip -6 >initrd.gz
}

# ---- root file system and disks

make_root_tree() {
	local applet library
	mkdir -p root/{bin,sbin,etc,proc,sys,dev,tmp,run,var/run,mnt/data,usr/bin,usr/sbin,lib,lib64}
	cp -a "$LAB_PARTS/rootfs/." root/
	cp "$(command -v busybox)" root/bin/busybox
	for applet in $APPLETS; do ln -s busybox "root/bin/$applet"; done
	for applet in init poweroff reboot acpid; do ln -s ../bin/busybox "root/sbin/$applet"; done
	copy_modules root/lib/modules $LATE_MODULES
	cp agent/usr/sbin/qemu-ga root/usr/sbin/
	complete_agent_libraries
	for library in $(agent_libraries | awk '/=> \// { print $3 }'); do cp -L "$library" root/lib/; done
	cp -L /lib64/ld-linux-x86-64.so.2 root/lib64/
	gcc -O2 -static -o root/usr/bin/guestbin "$LAB_PARTS/guestbin.c"
	chown -R root:root root
}

make_root_disk() {
	local root_mib=$((ROOT_MIB - BOOT_MIB - 1)) boot_start=$SECTORS_PER_MIB
	local root_start=$(((BOOT_MIB + 1) * SECTORS_PER_MIB))
	printf 'DEFAULT knib\nPROMPT 0\nTIMEOUT 0\nLABEL knib\n KERNEL vmlinuz\n INITRD initrd.gz\n APPEND %s\n' \
		"$GUEST_KERNEL_OPTIONS" >syslinux.cfg
	truncate -s ${BOOT_MIB}M boot.img
	mkfs.fat -F 16 -n KNIBBOOT boot.img
	MTOOLS_SKIP_CHECK=1 mcopy -i boot.img vmlinuz initrd.gz syslinux.cfg ::/
	syslinux --install boot.img
	truncate -s ${root_mib}M root.img
	mke2fs -q -t ext4 -F -L knibroot -E root_owner=0:0,lazy_itable_init=0 -d root root.img
	truncate -s ${ROOT_MIB}M disk.img
	sfdisk -q disk.img <<-TABLE
		label: dos
		start=$boot_start, size=$((BOOT_MIB * SECTORS_PER_MIB)), type=6, bootable
		start=$root_start, type=83
	TABLE
	dd if=/usr/lib/syslinux/mbr/mbr.bin of=disk.img bs=440 count=1 conv=notrunc
	dd if=boot.img of=disk.img bs=1M seek=1 conv=notrunc,sparse
	dd if=root.img of=disk.img bs=1M seek=$((BOOT_MIB + 1)) conv=notrunc,sparse
	qemu-img convert -q -f raw -O qcow2 disk.img root.qcow2
}

# make_data_disk FILE MIB LABEL: qcow2 with ext4 on the whole disk
make_data_disk() {
	local raw="$1.raw.tmp"
	rm -f "$raw"
	truncate -s "$2M" "$raw"
	mke2fs -q -t ext4 -F -L "$3" -E lazy_itable_init=0,lazy_journal_init=0 "$raw"
	qemu-img convert -q -f raw -O qcow2 "$raw" "$1"
	rm -f "$raw"
}

# lab_disk FILE MIB: a fresh data disk of any size
lab_disk() {
	[ $# -eq 2 ] || fail "usage: scripts/lab disk FILE MIB"
	make_data_disk "$1" "$2" knibdata
}

# ---- UEFI: kernel, initramfs and options in one EFI program on the boot partition

align_up() {
	printf '0x%x' $((($1 + 0xffff) / 0x10000 * 0x10000))
}

build_uefi_root() {
	set -x
	local out=$1 stub=/usr/lib/systemd/boot/efi/linuxx64.efi.stub after
	# behind the stub's own sections, whose place differs between systemd versions
	after=$(objdump -h "$stub" | awk '$1 ~ /^[0-9]+$/ { print "0x" $3, "0x" $4 }' | while read -r size at; do
		echo $((size + at))
	done | sort -n | tail -n 1)
	local options_at kernel_at initrd_at
	options_at=$(align_up "$after")
	kernel_at=$(printf '0x%x' $((options_at + 0x2000000)))
	initrd_at=$(printf '0x%x' $((kernel_at + 0x2000000)))
	printf '%s' "$GUEST_KERNEL_OPTIONS" >options
	objcopy \
		--add-section .cmdline=options --change-section-vma .cmdline="$options_at" \
		--add-section .linux="$out/vmlinuz" --change-section-vma .linux="$kernel_at" \
		--add-section .initrd="$out/initrd.gz" --change-section-vma .initrd="$initrd_at" \
		"$stub" boot.efi
	qemu-img convert -q -f qcow2 -O raw "$out/root.qcow2" disk.img
	export MTOOLS_SKIP_CHECK=1
	mdel -i disk.img@@1M ::/vmlinuz ::/initrd.gz
	mmd -i disk.img@@1M ::/EFI ::/EFI/BOOT
	mcopy -i disk.img@@1M boot.efi ::/EFI/BOOT/BOOTX64.EFI
	sfdisk -q --part-type disk.img 1 ef
	qemu-img convert -q -f raw -O qcow2 disk.img root-uefi.qcow2
	publish "$out" root-uefi.qcow2
}
